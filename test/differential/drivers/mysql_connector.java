// MariaDB Connector/J: text and server-side prepared statements, batches, generated keys, cursors, types, errors, procedures, large values.
import java.sql.*;
import java.util.Arrays;

class MysqlConnector {
  static void show(String name, Object value) { System.out.println(name + ": " + value); }

  static void rows(String name, ResultSet set) throws SQLException {
    ResultSetMetaData meta = set.getMetaData();
    StringBuilder head = new StringBuilder();
    for (int i = 1; i <= meta.getColumnCount(); i++)
      head.append(meta.getColumnLabel(i)).append(' ').append(meta.getColumnTypeName(i)).append(' ').append(meta.getColumnType(i)).append(' ')
        .append(meta.getPrecision(i)).append(' ').append(meta.getScale(i)).append(' ').append(meta.isNullable(i)).append(' ').append(meta.getTableName(i)).append(", ");
    show(name + " columns", head);
    while (set.next()) {
      StringBuilder row = new StringBuilder();
      for (int i = 1; i <= meta.getColumnCount(); i++) {
        Object value;
        try { value = set.getObject(i); } catch (SQLException error) { value = "error " + error.getMessage(); }
        if (value instanceof byte[]) value = Arrays.toString((byte[]) value);
        else if (value instanceof Blob) value = Arrays.toString(((Blob) value).getBytes(1, (int) ((Blob) value).length()));
        row.append(value).append(" | ");
      }
      show(name, row);
    }
  }

  static void failing(Connection c, String sql, boolean prepared) throws SQLException {
    try {
      if (prepared) try (PreparedStatement s = c.prepareStatement(sql)) { s.execute(); }
      else try (Statement s = c.createStatement()) { s.execute(sql); }
      show(sql, "no error");
    } catch (SQLException error) {
      show(sql, error.getSQLState() + " " + error.getErrorCode() + " " + error.getMessage().replaceAll("conn=\\d+", "conn=N"));
    }
  }

  static void throughLarge(Connection c) throws SQLException {
    byte[] large = new byte[20 * 1024 * 1024];
    for (int i = 0; i < large.length; i++) large[i] = (byte) (i * 31 + i / 255);
    try (PreparedStatement s = c.prepareStatement("INSERT INTO sink (n, body) VALUES (9000, ?)")) { s.setBytes(1, large); show("large in", s.executeUpdate()); }
    try (PreparedStatement s = c.prepareStatement("SELECT body FROM sink WHERE n = ?")) {
      s.setInt(1, 9000); ResultSet set = s.executeQuery(); set.next(); show("large out", Arrays.equals(large, set.getBytes(1)));
    }
  }

  static void run(String options) throws Exception {
    String url = "jdbc:mariadb://" + System.getenv("DB_HOST") + ":" + System.getenv("DB_PORT") + "/" + System.getenv("DB_NAME")
      + "?user=" + System.getenv("DB_USER") + "&password=" + System.getenv("DB_PASSWORD") + "&allowMultiQueries=true&connectTimeout=120000"
      + ("1".equals(System.getenv("DB_TLS")) ? "&useSsl=true&trustServerCertificate=true" : "&useSsl=false") + options;
    show("==", options);
    try (Connection c = DriverManager.getConnection(url)) {
      try (Statement s = c.createStatement()) {
        rows("user", s.executeQuery("SELECT CURRENT_USER(), USER(), DATABASE()"));
        rows("types", s.executeQuery("SELECT * FROM alltypes WHERE id <> 2 ORDER BY id"));
      }
      try (PreparedStatement s = c.prepareStatement("SELECT * FROM alltypes WHERE id = ?")) {
        for (int id : new int[] {1, 3, 1}) { s.setInt(1, id); rows("prepared", s.executeQuery()); }
      }
      try (PreparedStatement s = c.prepareStatement("SELECT ?, ?, ?, ?, ?")) {
        s.setInt(1, 5); s.setString(2, "it's ä😀"); s.setNull(3, Types.VARCHAR); s.setBytes(4, new byte[] {0, -1, 39, 92}); s.setTimestamp(5, Timestamp.valueOf("2024-02-29 12:00:00.5"));
        rows("parameters", s.executeQuery());
      }
      for (String sql : new String[] {"SELEKT", "SELECT * FROM missing", "INSERT INTO people (id, name) VALUES (1, 'x')", "CALL fails_late()"})
        for (boolean prepared : new boolean[] {false, true}) failing(c, sql, prepared);
      c.setAutoCommit(false);
      try (PreparedStatement s = c.prepareStatement("INSERT INTO sink (n, v) VALUES (?, ?)", Statement.RETURN_GENERATED_KEYS)) {
        for (int n = 0; n < 300; n++) { s.setInt(1, n); s.setString(2, n % 7 == 0 ? null : "v" + n); s.addBatch(); }
        show("batch", Arrays.stream(s.executeBatch()).filter(n -> n == 1 || n == Statement.SUCCESS_NO_INFO).count());
        ResultSet keys = s.getGeneratedKeys(); int count = 0; while (keys.next()) count++;
        show("keys", count);
      }
      failing(c, "INSERT INTO people (id, name) VALUES (1, 'x')", true);
      try (PreparedStatement s = c.prepareStatement("INSERT INTO people (id, name) VALUES (?, 'b')")) {
        for (int n : new int[] {7001, 1, 7002}) { s.setInt(1, n); s.addBatch(); }
        try { s.executeBatch(); } catch (BatchUpdateException error) { show("failed batch", error.getErrorCode() + " " + Arrays.toString(error.getUpdateCounts())); }
      }
      try (Statement s = c.createStatement()) { rows("in the transaction", s.executeQuery("SELECT COUNT(*), COUNT(v) FROM sink")); }
      c.rollback();
      Savepoint point = c.setSavepoint("here");
      try (Statement s = c.createStatement()) { s.executeUpdate("UPDATE people SET note = 'x' WHERE id < 5"); }
      c.rollback(point); c.commit(); c.setAutoCommit(true);
      try (Statement s = c.createStatement()) { rows("rolled back", s.executeQuery("SELECT COUNT(*) FROM sink")); }
      throughLarge(c);
      try (Statement s = c.createStatement()) { s.execute("DELETE FROM sink"); }
      try (Statement s = c.createStatement()) {
        boolean isSet = s.execute("SELECT 1; DO 0; SELECT 'b', NULL; UPDATE people SET note = 'z' WHERE id < 4");
        for (;;) {
          if (isSet) rows("several", s.getResultSet()); else if (s.getUpdateCount() == -1) break; else show("several", s.getUpdateCount());
          isSet = s.getMoreResults();
        }
      }
      try (CallableStatement s = c.prepareCall("{CALL two_results(?, ?, ?)}")) {
        s.setInt(1, 2); s.registerOutParameter(2, Types.INTEGER); s.setInt(3, 21); s.registerOutParameter(3, Types.INTEGER);
        boolean isSet = s.execute();
        while (isSet) { rows("call", s.getResultSet()); isSet = s.getMoreResults(); }
        show("out", s.getInt(2) + " " + s.getInt(3));
      }
      try (Statement s = c.createStatement()) {
        s.setFetchSize(50);
        long sum = 0; int count = 0;
        try (ResultSet set = s.executeQuery("SELECT id, name FROM people ORDER BY id")) { while (set.next()) { sum += set.getInt(1) * (long) set.getString(2).hashCode(); count++; } }
        show("fetched", count + " " + sum);
      }
      try (PreparedStatement s = c.prepareStatement("SELECT id, name, pay FROM people WHERE id > ? ORDER BY id")) {
        s.setFetchSize(50); s.setInt(1, 10); int count = 0;
        try (ResultSet set = s.executeQuery()) { while (set.next()) count++; }
        show("fetched prepared", count);
      }
      try (Statement s = c.createStatement()) { s.executeUpdate("DROP TABLE IF EXISTS nothing_here"); for (SQLWarning w = s.getWarnings(); w != null; w = w.getNextWarning()) show("warning", w.getErrorCode() + " " + w.getMessage()); }
      ResultSet tables = c.getMetaData().getColumns(null, null, "people", null);
      while (tables.next()) show("metadata", tables.getString("COLUMN_NAME") + " " + tables.getString("TYPE_NAME") + " " + tables.getInt("NULLABLE"));
      c.setCatalog("information_schema"); show("catalog", c.getCatalog()); c.setCatalog(System.getenv("DB_NAME"));
      if (options.contains("rewrite")) try (Statement s = c.createStatement()) {
        s.setQueryTimeout(1);
        try { s.executeQuery("SELECT SLEEP(30)"); show("timeout", "none"); } catch (SQLException error) { show("timeout", error.getClass().getSimpleName()); }
      }
      show("valid", c.isValid(60));
    }
  }

  public static void main(String[] args) throws Exception {
    run("&rewriteBatchedStatements=true");
    run("&useServerPrepStmts=true&useBulkStmts=true");
  }
}
