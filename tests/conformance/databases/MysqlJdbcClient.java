import java.io.ByteArrayInputStream;
import java.sql.BatchUpdateException;
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.sql.Timestamp;
import java.sql.Types;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;

/**
 * What MySQL's Connector/J ("mysql") or MariaDB's ("mariadb") can do, in one connection after the other, each told as a
 * line of what came of it. Both ways must tell the same.
 */
public final class MysqlJdbcClient {
    interface Part {
        Object of(Connection c) throws Exception;
    }

    static String scheme;

    static boolean mysql() {
        return scheme.equals("mysql");
    }

    static Connection connect(String... more) throws SQLException {
        Properties p = new Properties();
        p.setProperty("user", System.getenv("WAY_USER"));
        p.setProperty("password", System.getenv("WAY_PASSWORD"));
        if (mysql()) {
            p.setProperty("sslMode", "VERIFY_IDENTITY");
            p.setProperty("trustCertificateKeyStoreUrl", "file:" + System.getenv("WAY_STORE"));
            p.setProperty("trustCertificateKeyStoreType", "PKCS12");
            p.setProperty("trustCertificateKeyStorePassword", "public");
        } else {
            p.setProperty("sslMode", "verify-full");
            p.setProperty("serverSslCert", System.getenv("WAY_ROOT"));
        }
        for (int each = 0; each < more.length; each += 2) p.setProperty(more[each], more[each + 1]);
        String where = System.getenv("WAY_HOST") + ":" + System.getenv("WAY_PORT") + "/" + System.getenv("WAY_DATABASE");
        return DriverManager.getConnection("jdbc:" + scheme + "://" + where, p);
    }

    static List<Object> rows(ResultSet found) throws SQLException {
        List<Object> told = new ArrayList<>();
        while (found.next()) {
            List<Object> row = new ArrayList<>();
            for (int each = 1; each <= found.getMetaData().getColumnCount(); each++) row.add(found.getString(each));
            told.add(row);
        }
        return told;
    }

    static Object ask(Connection c, String text) throws SQLException {
        try (Statement s = c.createStatement()) {
            return s.execute(text) ? rows(s.getResultSet()) : s.getUpdateCount();
        }
    }

    static Object prepared(boolean atServer) throws SQLException {
        try (Connection c = connect("useServerPrepStmts", "" + atServer, "cachePrepStmts", "true", "prepStmtCacheSize", "5")) {
            List<Object> told = new ArrayList<>();
            for (int each = 0; each < 40; each++)
                try (PreparedStatement s = c.prepareStatement("SELECT ? + " + each % 7 + ", ?, CAST(? AS DATETIME(6)), ?, ?")) {
                    s.setInt(1, each);
                    s.setString(2, each % 5 == 0 ? null : "ü" + each);
                    s.setTimestamp(3, Timestamp.valueOf("2026-01-01 00:00:00.123"));
                    s.setBytes(4, new byte[] {0, (byte) each});
                    s.setNull(5, Types.INTEGER);
                    told.add(rows(s.executeQuery()));
                }
            try (PreparedStatement s = c.prepareStatement("SELECT LENGTH(?)")) {
                s.setBinaryStream(1, new ByteArrayInputStream(new byte[3_000_000]));
                told.add(rows(s.executeQuery()));
            }
            return told;
        }
    }

    static Object paged(int size, boolean cursor) throws SQLException {
        try (Connection c = connect("useCursorFetch", "" + cursor); Statement s = c.createStatement(ResultSet.TYPE_FORWARD_ONLY, ResultSet.CONCUR_READ_ONLY)) {
            s.setFetchSize(size);
            long sum = 0;
            try (ResultSet found = s.executeQuery("SELECT seq, REPEAT('x', seq % 9) FROM seq_1_to_3000")) {
                while (found.next()) sum += found.getInt(1) + found.getString(2).length();
            }
            try (ResultSet found = s.executeQuery("SELECT seq FROM seq_1_to_3000")) {
                found.next();
            }
            return Arrays.asList(sum, ask(c, "SELECT 1"));
        }
    }

    static Object batches(String... more) throws SQLException {
        try (Connection c = connect(more)) {
            ask(c, "CREATE TEMPORARY TABLE b (n INT AUTO_INCREMENT PRIMARY KEY, w VARCHAR(99) UNIQUE)");
            List<Object> told = new ArrayList<>();
            try (PreparedStatement s = c.prepareStatement("INSERT INTO b (w) VALUES (?)", Statement.RETURN_GENERATED_KEYS)) {
                for (int each = 0; each < 200; each++) {
                    s.setString(1, "w" + each);
                    s.addBatch();
                }
                told.add(s.executeBatch().length);
                told.add(rows(s.getGeneratedKeys()).size());
                s.setString(1, "w7");
                s.addBatch();
                try {
                    s.executeBatch();
                } catch (BatchUpdateException e) {
                    told.add(e.getSQLState() + " " + e.getErrorCode());
                }
            }
            told.add(ask(c, "SELECT COUNT(*), MAX(n) FROM b"));
            return told;
        }
    }

    static Object transactions(Connection c) throws SQLException {
        ask(c, "CREATE TABLE u (n INT PRIMARY KEY) ENGINE=InnoDB");
        c.setAutoCommit(false);
        c.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
        ask(c, "INSERT INTO u VALUES (1)");
        Savepoint point = c.setSavepoint();
        ask(c, "INSERT INTO u VALUES (2)");
        c.rollback(point);
        c.commit();
        List<Object> told = new ArrayList<>();
        told.add(ask(c, "SELECT * FROM u"));
        c.setReadOnly(true);
        try {
            ask(c, "INSERT INTO u VALUES (3)");
        } catch (SQLException e) {
            told.add(e.getSQLState());
        }
        c.rollback();
        c.setReadOnly(false);
        c.setAutoCommit(true);
        ask(c, "DROP TABLE u");
        return told;
    }

    static Object calls(Connection c) throws SQLException {
        ask(c, "CREATE PROCEDURE p(IN a INT, OUT b INT, INOUT d VARCHAR(20)) BEGIN SELECT a; SET b = a * 2; SET d = CONCAT(d, 'x'); END");
        try (CallableStatement s = c.prepareCall("{call p(?, ?, ?)}")) {
            s.setInt(1, 4);
            s.registerOutParameter(2, Types.INTEGER);
            s.setString(3, "y");
            s.registerOutParameter(3, Types.VARCHAR);
            boolean first = s.execute();
            return Arrays.asList(first, first ? rows(s.getResultSet()) : null, s.getInt(2), s.getString(3));
        } finally {
            ask(c, "DROP PROCEDURE p");
        }
    }

    static Object timedOut(Connection c) throws SQLException {
        try (Statement s = c.createStatement()) {
            s.setQueryTimeout(1);
            return rows(s.executeQuery("SELECT SLEEP(300)"));
        } catch (SQLException e) {
            return Arrays.asList(e.getClass().getSimpleName(), ask(c, "SELECT 1"));
        }
    }

    static Object cancelled(Connection c) throws Exception {
        try (Statement s = c.createStatement()) {
            Thread other = new Thread(() -> {
                try {
                    Thread.sleep(500);
                    s.cancel();
                } catch (Exception e) {
                    throw new RuntimeException(e);
                }
            });
            other.start();
            Object came;
            try {
                came = rows(s.executeQuery("SELECT SLEEP(300)"));
            } catch (SQLException e) {
                came = "cancelled"; // whether by the server's word or its own, the driver leaves to luck
            }
            other.join();
            return Arrays.asList(came, ask(c, "SELECT 1"));
        }
    }

    static Object metadata(Connection c) throws SQLException {
        ask(c, "CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(20) NOT NULL UNIQUE, born DATE DEFAULT '2026-01-01')");
        ask(c, "CREATE TABLE papers (id BIGINT AUTO_INCREMENT PRIMARY KEY, owner INT, FOREIGN KEY (owner) REFERENCES people (id) ON DELETE CASCADE)");
        ask(c, "CREATE VIEW named AS SELECT name FROM people");
        DatabaseMetaData data = c.getMetaData();
        String here = c.getCatalog();
        List<Object> told = new ArrayList<>();
        told.add(Arrays.asList(data.getDatabaseProductName(), data.getMaxConnections() > 0));
        told.add(rows(data.getTables(here, null, "%", null)));
        told.add(rows(data.getColumns(here, null, "%", "%")));
        told.add(rows(data.getPrimaryKeys(here, null, "people")));
        told.add(rows(data.getIndexInfo(here, null, "people", false, false)));
        told.add(rows(data.getImportedKeys(here, null, "papers")));
        told.add(rows(data.getExportedKeys(here, null, "people")));
        told.add(rows(data.getCatalogs()));
        told.add(rows(data.getTypeInfo()).size());
        ask(c, "DROP VIEW named");
        ask(c, "DROP TABLE papers, people");
        return told;
    }

    static Object again(String... more) throws SQLException {
        try (Connection c = connect(more)) {
            return Arrays.asList(ask(c, "SELECT 1"), ask(c, "SELECT LENGTH(REPEAT('x', 100000))"), c.isValid(5));
        }
    }

    public static void main(String[] arguments) throws Exception {
        scheme = arguments[0];
        Map<String, Part> parts = new LinkedHashMap<>();
        for (boolean each : new boolean[] {false, true}) parts.put("prepared " + each, c -> prepared(each));
        for (int size : new int[] {1, 7, 1000, Integer.MIN_VALUE}) {
            if (size > 0 || mysql()) parts.put("paged " + size, c -> paged(size, false));
            if (size > 0) parts.put("by cursor " + size, c -> paged(size, true));
        }
        parts.put("batches", c -> batches());
        parts.put("batches rewritten", c -> batches("rewriteBatchedStatements", "true"));
        parts.put("batches at the server", c -> batches("useServerPrepStmts", "true"));
        if (!mysql()) parts.put("batches in bulk", c -> batches("useBulkStmts", "true", "useBulkStmtsForInserts", "true"));
        parts.put("transactions", MysqlJdbcClient::transactions);
        parts.put("calls", MysqlJdbcClient::calls);
        parts.put("timed out", MysqlJdbcClient::timedOut);
        parts.put("cancelled", MysqlJdbcClient::cancelled);
        parts.put("metadata", MysqlJdbcClient::metadata);
        parts.put("claimed", c -> c.getMetaData().getDatabaseProductVersion());
        parts.put("compressed", c -> again("useCompression", "true"));
        parts.put("session state", c -> again("useLocalSessionState", "true", "cacheServerConfiguration", "true"));
        for (var each : parts.entrySet()) {
            Object came;
            try (Connection c = connect()) {
                came = each.getValue().of(c);
            } catch (SQLException e) {
                came = e.getSQLState() + " " + e.getErrorCode() + " " + e.getMessage();
            }
            System.out.println(each.getKey() + " " + came);
        }
    }
}
