import java.sql.BatchUpdateException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.Statement;
import java.util.Arrays;
import java.util.Properties;

/**
 * Batches of JDBC's drivers: `URL NAME=VALUE …` are the address and the driver's settings. Each row is inserted by a batch of
 * a prepared statement, and two by one of texts; in a transaction where the setting `transaction` says so. What came of it is told.
 */
public final class BatchClient {
    public static void main(String[] given) throws Exception {
        Properties settings = new Properties();
        for (String each : Arrays.copyOfRange(given, 1, given.length)) {
            String[] parts = each.split("=", 2);
            settings.setProperty(parts[0], parts[1]);
        }
        boolean whole = settings.remove("transaction") != null;
        try (Connection c = DriverManager.getConnection(given[0], settings)) {
            c.setAutoCommit(!whole);
            try (PreparedStatement p = c.prepareStatement("INSERT INTO said (word, n) VALUES (?, ?)")) {
                for (int each = 1; each <= 6; each++) {
                    p.setString(1, "bound");
                    p.setInt(2, each);
                    p.addBatch();
                }
                System.out.println(Arrays.toString(p.executeBatch()));
            }
            try (Statement s = c.createStatement()) {
                s.addBatch("INSERT INTO said (word, n) VALUES ('plain', 7)");
                s.addBatch("INSERT INTO said (word, n) VALUES ('plain', 8)");
                System.out.println(Arrays.toString(s.executeBatch()));
            }
            if (whole) c.commit();
        } catch (BatchUpdateException refused) {
            System.out.println(refused.getMessage());
        }
    }
}
