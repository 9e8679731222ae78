// Connector/J reads every type of `typed`, as text and prepared on the server, and prints what kind of value each became.
import java.sql.*;

class MysqlDecode {
  public static void main(String[] args) throws Exception {
    for (String options : new String[] {"", "&useServerPrepStmts=true"}) {
      String url = "jdbc:mariadb://" + System.getenv("DB_HOST") + ":" + System.getenv("DB_PORT") + "/" + System.getenv("DB_NAME")
        + "?user=" + System.getenv("DB_USER") + "&password=" + System.getenv("DB_PASSWORD") + "&useSsl=false&connectTimeout=120000" + options;
      try (Connection c = DriverManager.getConnection(url); PreparedStatement s = c.prepareStatement("SELECT * FROM typed ORDER BY id")) {
        for (int times = 0; times < 2; times++) {
          ResultSet set = s.executeQuery();
          ResultSetMetaData meta = set.getMetaData();
          while (set.next()) for (int i = 1; i <= meta.getColumnCount(); i++) {
            Object value = set.getObject(i);
            set.getString(i);
            System.out.println(meta.getColumnLabel(i) + ": " + (value == null ? "null" : value.getClass().getSimpleName()));
          }
        }
      }
    }
  }
}
