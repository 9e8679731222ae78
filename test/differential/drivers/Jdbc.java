// pgjdbc: large batches with RETURNING (GW-12), fetch size, binary transfer, COPY, large objects (FunctionCall).
import java.io.StringReader;
import java.io.StringWriter;
import java.sql.*;
import java.util.*;
import org.postgresql.PGConnection;

public class Jdbc {
  static void show(String name, Object value) { System.out.println(name + ": " + value); }

  static void failing(Connection c, String sql) {
    try (Statement s = c.createStatement()) {
      s.execute(sql);
      show(sql, "no error");
    } catch (SQLException e) {
      show(sql, e.getSQLState() + " " + e.getMessage().replaceAll("\\s+", " "));
    }
  }

  static List<List<Object>> rows(ResultSet r) throws SQLException {
    List<List<Object>> all = new ArrayList<>();
    while (r.next()) {
      List<Object> row = new ArrayList<>();
      for (int i = 1; i <= r.getMetaData().getColumnCount(); i++) {
        // A byte array prints its address.
        Object value = r.getObject(i);
        row.add(value instanceof byte[] bytes ? HexFormat.of().formatHex(bytes) : r.getString(i));
      }
      all.add(row);
    }
    return all;
  }

  public static void main(String[] args) throws Exception {
    Map<String, String> env = System.getenv();
    String url = "jdbc:postgresql://127.0.0.1:" + env.get("PGPORT") + "/" + env.get("PGDATABASE");
    Properties p = new Properties();
    p.setProperty("user", env.get("PGUSER"));
    p.setProperty("password", env.get("PGPASSWORD"));
    p.setProperty("sslmode", env.get("PGSSLMODE"));
    p.setProperty("gssEncMode", "disable");
    try (Connection c = DriverManager.getConnection(url, p)) {
      show("user", rows(c.createStatement().executeQuery("SELECT current_user")));
      show("version", c.getMetaData().getDatabaseProductVersion());
      // The fifth execution switches to a named statement and binary transfer.
      try (PreparedStatement s = c.prepareStatement("SELECT id, name, born, tags, doc, photo FROM people WHERE id < ? ORDER BY id")) {
        for (int i = 0; i < 8; i++) { s.setInt(1, 3); show("prepared", rows(s.executeQuery())); }
      }
      c.setAutoCommit(false);
      try (PreparedStatement s = c.prepareStatement("INSERT INTO people (id, name) VALUES (?, ?)", new String[] {"id", "name"})) {
        String big = "x".repeat(100);
        for (int i = 0; i < 10000; i++) { s.setInt(1, 20000 + i); s.setString(2, big + i); s.addBatch(); }
        int[] counts = s.executeBatch();
        long sum = 0;
        ResultSet keys = s.getGeneratedKeys();
        while (keys.next()) sum += keys.getInt(1);
        show("batch with RETURNING", counts.length + " " + sum);
      }
      c.commit();
      try (Statement s = c.createStatement()) {
        s.setFetchSize(100);
        ResultSet r = s.executeQuery("SELECT id FROM people ORDER BY id");
        long sum = 0;
        while (r.next()) sum += r.getInt(1);
        show("fetch size", sum);
      }
      Savepoint savepoint = c.setSavepoint("s");
      failing(c, "SELECT 1/0");
      c.rollback(savepoint);
      show("after savepoint", rows(c.createStatement().executeQuery("SELECT 1")));
      failing(c, "SELEKT 1");
      failing(c, "SELECT 1");
      c.rollback();
      try {
        c.unwrap(PGConnection.class).getLargeObjectAPI().createLO();
        System.out.println("LARGE OBJECT worked");
      } catch (SQLException e) {
        System.out.println("LARGE OBJECT refused: " + e.getSQLState());
      }
      c.rollback();
      show("goes on", rows(c.createStatement().executeQuery("SELECT 2")));
      c.commit();
      c.setAutoCommit(true);
      show("copy in", c.unwrap(PGConnection.class).getCopyAPI().copyIn("COPY people (id, name) FROM STDIN", new StringReader("40001\ta\n40002\tb\n")));
      StringWriter out = new StringWriter();
      c.unwrap(PGConnection.class).getCopyAPI().copyOut("COPY (SELECT id, name FROM people WHERE id > 40000 ORDER BY id) TO STDOUT", out);
      show("copy out", out.toString().replace("\n", "|"));
      try (CallableStatement s = c.prepareCall("CALL twice(?)")) {
        s.setInt(1, 4); s.registerOutParameter(1, Types.INTEGER); s.execute(); show("call", s.getInt(1));
      } catch (SQLException e) { show("call", e.getSQLState() + " " + e.getMessage()); }
      failing(c, "INSERT INTO people (id, name) VALUES (1, 'x')");
      try (Statement s = c.createStatement()) {
        s.setQueryTimeout(1);
        s.execute("SELECT pg_sleep(20)");
      } catch (SQLException e) { show("timeout", e.getSQLState()); }
      Statement s = c.createStatement();
      s.execute("LISTEN news"); s.execute("NOTIFY news, 'hello'");
      var heard = c.unwrap(PGConnection.class).getNotifications(60000);
      show("notified", heard == null ? "nothing" : heard[0].getName() + " " + heard[0].getParameter());
      s.execute("SELECT purge(9)");
      show("warnings", s.getWarnings());
      ResultSet columns = c.getMetaData().getColumns(null, "public", "people", null);
      List<String> names = new ArrayList<>();
      while (columns.next()) names.add(columns.getString("COLUMN_NAME") + " " + columns.getString("TYPE_NAME"));
      show("metadata", names);
    }
  }
}
