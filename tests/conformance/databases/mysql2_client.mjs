// What mysql2 (npm) can do, in one connection after the other, each told as a line of what came of it. Both ways must tell
// the same.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(process.env.DRIVERS + "/");
const mysql = require("mysql2/promise");

const { WAY_HOST, WAY_PORT, WAY_USER, WAY_PASSWORD, WAY_DATABASE, WAY_ROOT } = process.env;
const settings = {
    host: WAY_HOST, port: Number(WAY_PORT), user: WAY_USER, password: WAY_PASSWORD, database: WAY_DATABASE,
    ssl: { ca: readFileSync(WAY_ROOT, "utf8") }, multipleStatements: true, dateStrings: true, supportBigNumbers: true,
};
const told = (error) => [error.code, error.errno, error.sqlState];

const parts = {
    async values(c) {
        const [rows, fields] = await c.query("SELECT ? AS a, ? AS b, ? AS c, ? AS d, ? AS e", [1, "ü\u{1f600}'", Buffer.from([0, 255]), null, 2.5]);
        return [rows, fields.map((each) => [each.name, each.columnType, each.characterSet])];
    },
    async prepared(c) {
        const found = [];
        for (let each = 0; each < 30; each++)
            found.push((await c.execute(`SELECT ? + ${each % 3} AS n, ? AS w, ? AS x`, [each, each % 5 ? "ü" : null, Buffer.from([each])]))[0]);
        const statement = await c.prepare("SELECT ? AS n, CAST(? AS DATETIME(6)) AS at, CAST(? AS JSON) IS NULL AS j".replace("CAST(? AS JSON)", "?"));
        found.push((await statement.execute([18, "2026-11-30 08:00:00.000001", JSON.stringify({ a: 1 })]))[0]);
        await statement.close();
        return found;
    },
    async types(c) {
        await c.query("CREATE TEMPORARY TABLE t (a BIT(9), b YEAR, c TIME(3), d ENUM('x', 'y'), f DOUBLE, g BIGINT UNSIGNED, h DATE, k BLOB)");
        await c.query("INSERT INTO t VALUES (b'101', 2026, '-12:13:14.567', 'y', 1e300, 18446744073709551615, '2026-02-28', x'00ff')");
        return [(await c.query("SELECT * FROM t"))[0], (await c.execute("SELECT * FROM t WHERE b = ?", [2026]))[0]];
    },
    async many_at_once(c) {
        const all = Array.from({ length: 100 }, (_, each) => each % 2 ? c.execute("SELECT ? AS n", [each]) : c.query(`SELECT ${each} AS n`));
        return (await Promise.all(all)).map(([rows]) => rows[0].n);
    },
    async errors(c) {
        const found = [];
        for (const text of ["SELECT * FROM nowhere", "SELEC", "SELECT 1; SELEC"]) await c.query(text).catch((e) => found.push(told(e)));
        await c.execute("SELECT * FROM nowhere WHERE a = ?", [1]).catch((e) => found.push(told(e)));
        return [found, (await c.query("SELECT 1 AS n"))[0]];
    },
    async several(c) {
        await c.query("DROP PROCEDURE IF EXISTS q");
        await c.query("CREATE PROCEDURE q(IN a INT) BEGIN SELECT a; SELECT a + 1; END");
        return [(await c.query("SELECT 1 AS a; DO 1; SELECT 2 AS b"))[0].length, (await c.query("CALL q(4)"))[0].length, (await c.execute("CALL q(?)", [5]))[0].length];
    },
    async streamed(c) {
        let sum = 0;
        for await (const row of c.connection.query("SELECT seq AS n FROM seq_1_to_20000").stream()) sum += row.n;
        return sum;
    },
    async transaction(c) {
        await c.query("CREATE TABLE IF NOT EXISTS v (n INT PRIMARY KEY) ENGINE=InnoDB");
        await c.beginTransaction();
        const [put] = await c.query("INSERT INTO v VALUES ?", [Array.from({ length: 500 }, (_, each) => [each])]);
        await c.rollback();
        const [[{ n }]] = await c.query("SELECT COUNT(*) AS n FROM v");
        await c.query("DROP TABLE v");
        return [put.affectedRows, put.info, n];
    },
    async pool() {
        const pool = mysql.createPool({ ...settings, connectionLimit: 6 });
        const all = Array.from({ length: 40 }, (_, each) => pool.execute("SELECT ? AS n", [each]));
        const found = (await Promise.all(all)).map(([rows]) => rows[0].n);
        await pool.end();
        return found;
    },
    async long(c) {
        const long = "ä".repeat(2_000_000);
        return [(await c.query("SELECT LENGTH(?) AS n, ? AS w", [long, long]))[0].map((each) => [each.n, each.w.length]),
            (await c.execute("SELECT LENGTH(?) AS n, ? AS w", [long, long]))[0].map((each) => [each.n, each.w.length])];
    },
    async reset(c) {
        await c.query("SET @a = 1");
        await c.connection.promise().query("SELECT 1");
        await new Promise((resolve, reject) => c.connection.reset ? c.connection.reset((e) => (e ? reject(e) : resolve())) : resolve());
        return (await c.query("SELECT @a AS a, 1 AS n"))[0];
    },
    async compressed() {
        const c = await mysql.createConnection({ ...settings, compress: true });
        const found = (await c.query("SELECT REPEAT('x', 100000) AS w"))[0][0].w.length;
        await c.end();
        return found;
    },
};

for (const [name, part] of Object.entries(parts)) {
    const client = await mysql.createConnection(settings);
    client.connection.on("error", () => {});
    const came = await part(client).catch((error) => `${error.code} ${error.message}`);
    process.stdout.write(`${name} ${JSON.stringify(came, (_, value) => (typeof value === "bigint" ? `${value}` : value))}\n`);
    await client.end().catch(() => {});
}
