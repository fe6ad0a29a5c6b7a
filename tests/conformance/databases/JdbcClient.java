import java.io.ByteArrayOutputStream;
import java.io.StringReader;
import java.lang.reflect.Method;
import java.sql.BatchUpdateException;
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
import java.util.TreeMap;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyManager;

/**
 * What pgjdbc can do, in one connection after the other, each told as a line of what came of it. Both ways must tell the
 * same. The connection comes from libpq's environment.
 */
public final class JdbcClient {
    interface Part {
        Object of(Connection c) throws Exception;
    }

    static Connection connect(String... more) throws SQLException {
        Properties p = new Properties();
        p.setProperty("user", System.getenv("PGUSER"));
        if (System.getenv("PGSSLKEY") == null) p.setProperty("password", System.getenv("PGPASSWORD"));
        else {
            p.setProperty("sslcert", System.getenv("PGSSLCERT"));
            p.setProperty("sslkey", System.getenv("PGSSLKEY"));
        }
        p.setProperty("sslmode", "verify-full");
        p.setProperty("sslrootcert", System.getenv("PGSSLROOTCERT"));
        p.setProperty("gssEncMode", "disable");
        for (int each = 0; each < more.length; each += 2) p.setProperty(more[each], more[each + 1]);
        String where = System.getenv("PGHOST") + ":" + System.getenv("PGPORT") + "/" + System.getenv("PGDATABASE");
        return DriverManager.getConnection("jdbc:postgresql://" + where, p);
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

    static Object started(String mode) throws SQLException {
        String[] more = {
            "preferQueryMode", mode, "ApplicationName", "the suite", "assumeMinServerVersion", "9.4", "readOnly", "true",
            "options", "-c statement_timeout=90s", "currentSchema", "public",
        };
        try (Connection c = connect(more)) {
            List<Object> told = new ArrayList<>();
            for (String name : "application_name extra_float_digits DateStyle TimeZone client_encoding statement_timeout search_path".split(" "))
                told.add(ask(c, "SHOW " + name));
            told.add(c.getMetaData().getDatabaseProductVersion());
            told.add(ask(c, "SELECT 1.1::float8, now() IS NOT NULL"));
            return told;
        }
    }

    static Object paged(Connection c, int size) throws SQLException {
        c.setAutoCommit(false);
        List<Object> told = new ArrayList<>();
        try (Statement s = c.createStatement()) {
            s.setFetchSize(size);
            try (ResultSet first = s.executeQuery("SELECT n, repeat('x', n % 9) FROM generate_series(1, 1000) n");
                 PreparedStatement within = c.prepareStatement("SELECT ?::int * 2")) {
                long sum = 0;
                while (first.next()) {
                    if (first.getInt(1) % 100 == 0) {
                        within.setInt(1, first.getInt(1));
                        told.add(rows(within.executeQuery()));
                    }
                    sum += first.getInt(1) + first.getString(2).length();
                }
                told.add(sum);
            }
            s.setMaxRows(7);
            told.add(rows(s.executeQuery("SELECT generate_series(1, 100)")));
        }
        c.commit();
        return told;
    }

    static Object threshold(int at) throws SQLException {
        try (Connection c = connect("prepareThreshold", "" + at, "preparedStatementCacheQueries", "8")) {
            List<Object> told = new ArrayList<>();
            for (int each = 0; each < 60; each++)
                try (PreparedStatement s = c.prepareStatement("SELECT ?::int + " + each % 11 + ", ?::text, ?::timestamp")) {
                    s.setInt(1, each);
                    s.setString(2, each % 5 == 0 ? null : "ü" + each);
                    s.setTimestamp(3, Timestamp.valueOf("2026-01-01 00:00:00"));
                    told.add(rows(s.executeQuery()));
                }
            told.add(ask(c, "DEALLOCATE ALL"));
            try (PreparedStatement s = c.prepareStatement("SELECT ?::int")) {
                for (int each = 0; each < 8; each++) {
                    s.setInt(1, each);
                    told.add(rows(s.executeQuery()));
                }
            }
            return told;
        }
    }

    static Object batches(boolean rewritten) throws SQLException {
        try (Connection c = connect("reWriteBatchedInserts", "" + rewritten)) {
            List<Object> told = new ArrayList<>();
            ask(c, "CREATE TEMP TABLE t (n int PRIMARY KEY, w text)");
            try (PreparedStatement s = c.prepareStatement("INSERT INTO t VALUES (?, ?)")) {
                for (int each = 0; each < 1500; each++) {
                    s.setInt(1, each);
                    s.setString(2, "w".repeat(each % 50));
                    s.addBatch();
                }
                told.add(s.executeBatch().length);
                for (int each : new int[] {2000, 1, 2001}) {
                    s.setInt(1, each);
                    s.setNull(2, Types.VARCHAR);
                    s.addBatch();
                }
                try {
                    s.executeBatch();
                } catch (BatchUpdateException e) {
                    told.add(e.getSQLState());
                }
            }
            try (PreparedStatement s = c.prepareStatement("INSERT INTO t VALUES (?, 'k')", Statement.RETURN_GENERATED_KEYS)) {
                for (int each = 5000; each < 5300; each++) {
                    s.setInt(1, each);
                    s.addBatch();
                }
                s.executeBatch();
                told.add(rows(s.getGeneratedKeys()).size());
            }
            told.add(ask(c, "SELECT count(*), sum(n) FROM t"));
            return told;
        }
    }

    static Object copies(Connection c) throws Exception {
        List<Object> told = new ArrayList<>();
        ask(c, "CREATE TEMP TABLE t (n int, w text)");
        CopyManager copy = c.unwrap(PGConnection.class).getCopyAPI();
        StringBuilder lines = new StringBuilder();
        for (int each = 0; each < 20_000; each++) lines.append(each).append("\tw").append(each % 7).append('\n');
        told.add(copy.copyIn("COPY t FROM STDIN", new StringReader(lines.toString())));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        told.add(copy.copyOut("COPY t TO STDOUT (FORMAT binary)", out));
        told.add(Arrays.hashCode(out.toByteArray()));
        try {
            copy.copyIn("COPY t FROM STDIN", new StringReader("no number\n"));
        } catch (SQLException e) {
            told.add(e.getSQLState());
        }
        var begun = copy.copyIn("COPY t FROM STDIN");
        begun.writeToCopy("1\tx\n".getBytes(), 0, 4);
        begun.cancelCopy();
        told.add(ask(c, "SELECT count(*) FROM t"));
        return told;
    }

    static Object cancelled(Connection c) throws Exception {
        try (Statement s = c.createStatement()) {
            Thread other = new Thread(() -> {
                try {
                    Thread.sleep(300);
                    s.cancel();
                } catch (Exception e) {
                    throw new IllegalStateException(e);
                }
            });
            other.start();
            try {
                s.execute("SELECT pg_sleep(300)");
                return "it ran";
            } catch (SQLException e) {
                other.join();
                return List.of(e.getSQLState(), ask(c, "SELECT 1"));
            }
        }
    }

    static Object timedOut(Connection c) throws Exception {
        try (Statement s = c.createStatement()) {
            s.setQueryTimeout(1);
            s.execute("SELECT pg_sleep(300)");
            return "it ran";
        } catch (SQLException e) {
            return List.of(e.getSQLState(), ask(c, "SELECT 1"));
        }
    }

    static Object savepoints(String when) throws SQLException {
        try (Connection c = connect("autosave", when)) {
            List<Object> told = new ArrayList<>();
            c.setAutoCommit(false);
            ask(c, "CREATE TEMP TABLE t (n int PRIMARY KEY)");
            Savepoint savepoint = c.setSavepoint("one");
            for (int each : new int[] {1, 1, 2}) {
                try (PreparedStatement s = c.prepareStatement("INSERT INTO t VALUES (?)")) {
                    s.setInt(1, each);
                    told.add(s.executeUpdate());
                } catch (SQLException e) {
                    told.add(e.getSQLState());
                }
            }
            if (!when.equals("always")) c.rollback(savepoint);
            told.add(ask(c, "SELECT count(*) FROM t"));
            c.commit();
            return told;
        }
    }

    static Object calls(Connection c) throws Exception {
        ask(c, "CREATE FUNCTION pg_temp.two(INOUT a int, OUT b text) LANGUAGE sql AS $$ SELECT a + 1, 'b' || a $$");
        c.setAutoCommit(false);
        List<Object> told = new ArrayList<>();
        try (var s = c.prepareCall("{call pg_temp.two(?, ?)}")) {
            s.setInt(1, 4);
            s.registerOutParameter(1, Types.INTEGER);
            s.registerOutParameter(2, Types.VARCHAR);
            s.execute();
            told.add(List.of(s.getInt(1), s.getString(2)));
        }
        var objects = c.unwrap(PGConnection.class).getLargeObjectAPI();
        long oid = objects.createLO();
        try (var object = objects.open(oid)) {
            object.write(new byte[100_000]);
            object.seek(50_000);
            told.add(object.read(10).length);
        }
        objects.delete(oid);
        return told;
    }

    static Object told(Connection c) throws Exception {
        var data = c.getMetaData();
        ask(c, "CREATE TEMP TABLE its_own (n int PRIMARY KEY, w varchar(9))");
        return List.of(rows(data.getColumns(null, null, "its_own", null)).size(), rows(data.getPrimaryKeys(null, null, "its_own")).size(),
            data.getUserName().isEmpty(), c.isValid(60), rows(data.getTypeInfo()).isEmpty());
    }

    /** What a tool for people asks first: all of the driver's metadata, then the catalogue as DBeaver reads it. */
    static Object walked(Connection c) throws Exception {
        var data = c.getMetaData();
        var told = new TreeMap<String, Object>();
        for (Method each : DatabaseMetaData.class.getMethods())
            if (each.getParameterCount() == 0 && !List.of("getURL", "getUserName", "getConnection", "getRowIdLifetime").contains(each.getName())) {
                Object found = each.invoke(data);
                told.put(each.getName(), found instanceof ResultSet rows ? rows(rows) : found);
            }
        told.put("tables", rows(data.getTables(null, null, "%", null)));
        told.put("views", rows(data.getTables(null, "public", "%", new String[] {"VIEW"})));
        told.put("columns", rows(data.getColumns(null, null, "%", "%")));
        told.put("procedures", rows(data.getProcedures(null, null, "%")));
        told.put("functions", rows(data.getFunctions(null, null, "%")));
        told.put("of functions", rows(data.getFunctionColumns(null, "public", "%", "%")));
        told.put("types", rows(data.getUDTs(null, null, "%", null)));
        told.put("privileges", rows(data.getTablePrivileges(null, null, "%")));
        for (String table : new String[] {"people", "papers"}) {
            told.put(table + " keys", rows(data.getPrimaryKeys(null, "public", table)));
            told.put(table + " indices", rows(data.getIndexInfo(null, "public", table, false, false)));
            told.put(table + " imported", rows(data.getImportedKeys(null, "public", table)));
            told.put(table + " exported", rows(data.getExportedKeys(null, "public", table)));
            told.put(table + " column privileges", rows(data.getColumnPrivileges(null, "public", table, "%")));
            told.put(table + " best", rows(data.getBestRowIdentifier(null, "public", table, 2, true)));
            told.put(table + " versions", rows(data.getVersionColumns(null, "public", table)));
        }
        told.put("cross", rows(data.getCrossReference(null, "public", "people", null, "public", "papers")));
        String[] asked = {
            "SELECT current_schema(),session_user", "SHOW search_path", "SELECT version()",
            "SELECT * FROM pg_catalog.pg_settings where name='standard_conforming_strings'",
            "select string_agg(word, ',') from pg_catalog.pg_get_keywords() where word <> ALL ('{a,abs,absolute}'::text[])",
            "SELECT db.oid,db.* FROM pg_catalog.pg_database db WHERE datallowconn AND NOT datistemplate ORDER BY db.datname",
            "SELECT n.oid,n.*,d.description FROM pg_catalog.pg_namespace n LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid=n.oid AND d.objsubid=0 AND d.classoid='pg_namespace'::regclass ORDER BY nspname",
            "SELECT t.oid,t.*,c.relkind,format_type(nullif(t.typbasetype, 0), t.typtypmod) as base_type_name FROM pg_catalog.pg_type t LEFT OUTER JOIN pg_catalog.pg_class c ON c.oid=t.typrelid WHERE t.typname IS NOT NULL ORDER BY t.oid",
            "SELECT c.oid,c.*,pg_catalog.pg_get_expr(c.relpartbound, c.oid) as partition_expr, pg_catalog.pg_get_partkeydef(c.oid) as partition_key FROM pg_catalog.pg_class c WHERE c.relkind not in ('i','I','c') ORDER BY c.oid",
            "SELECT p.oid,p.*,pg_catalog.pg_get_expr(p.proargdefaults, 0) as arg_defaults FROM pg_catalog.pg_proc p WHERE pronamespace='public'::regnamespace ORDER BY p.proname",
        };
        for (String text : asked) told.put(text, ask(c, text));
        try (PreparedStatement s = c.prepareStatement("SELECT a.attname, pg_catalog.pg_get_expr(ad.adbin, ad.adrelid, true) AS def_value FROM pg_catalog.pg_attribute a LEFT OUTER JOIN pg_catalog.pg_attrdef ad ON a.attrelid=ad.adrelid AND a.attnum=ad.adnum WHERE NOT a.attisdropped AND a.attrelid=?::regclass ORDER BY a.attnum")) {
            s.setString(1, "papers");
            told.put("defaults", rows(s.executeQuery()));
        }
        told.forEach((name, found) -> System.out.println(name + " " + (found instanceof List<?> list && list.size() > 40 ? list.size() + " rows " + list.hashCode() : found)));
        return told.size();
    }

    public static void main(String[] arguments) throws Exception {
        Map<String, Part> parts = new LinkedHashMap<>();
        if (arguments.length > 0) parts.put("walked", JdbcClient::walked);
        else all(parts);
        for (var each : parts.entrySet()) {
            Object came;
            try (Connection c = connect()) {
                came = each.getValue().of(c);
            } catch (SQLException e) {
                came = e.getSQLState() + " " + e.getMessage();
            }
            System.out.println(each.getKey() + " " + came);
        }
    }

    static void all(Map<String, Part> parts) {
        for (String mode : new String[] {"simple", "extended", "extendedForPrepared", "extendedCacheEverything"})
            parts.put("started " + mode, c -> started(mode));
        for (int size : new int[] {1, 7, 100, 1000, 0}) parts.put("paged " + size, c -> paged(c, size));
        for (int at : new int[] {-1, 0, 1, 5}) parts.put("threshold " + at, c -> threshold(at));
        parts.put("batches", c -> batches(false));
        parts.put("batches rewritten", c -> batches(true));
        parts.put("copies", JdbcClient::copies);
        parts.put("cancelled", JdbcClient::cancelled);
        parts.put("timed out", JdbcClient::timedOut);
        for (String when : new String[] {"never", "always", "conservative"}) parts.put("savepoints " + when, c -> savepoints(when));
        parts.put("calls", JdbcClient::calls);
        parts.put("told", JdbcClient::told);
    }
}
