// What postgres.js can do, in one connection after the other, each told as a line of what came of it: it describes a
// statement first and binds it later, with a Flush between, and asks much at once. Both ways must tell the same. The
// connection comes from libpq's environment.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

const postgres = createRequire(process.env.DRIVERS + "/")("postgres");
const { PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE, PGSSLROOTCERT } = process.env;
const connect = (more) => postgres({
    host: PGHOST, port: Number(PGPORT), user: PGUSER, password: PGPASSWORD, database: PGDATABASE, max: 1,
    ssl: { ca: readFileSync(PGSSLROOTCERT, "utf8") }, onnotice: () => {}, ...more,
});
const code = (query) => query.then((rows) => rows, (e) => [e.code, e.severity_local, e.position]);

const parts = {
    async values(sql) {
        const rows = await sql`SELECT ${1}::int AS a, ${"ü\u{1f600}"}::text AS b, ${Buffer.from([0, 255])}::bytea AS c,
            ${null}::int AS d, ${sql.json({ a: [1] })}::jsonb AS e, ${[1, 2]}::int[] AS f, ${new Date(0)}::timestamptz AS g`;
        return [rows, rows.columns.map((each) => [each.name, each.type])];
    },
    async described(sql) {
        const { types, columns } = await sql`SELECT ${1}::int + n AS n FROM generate_series(1, 3) n`.describe();
        return [types, columns.map((each) => each.name)];
    },
    async at_once(sql) {
        await sql`CREATE TEMP TABLE t (n int PRIMARY KEY)`;
        return Promise.all(Array.from({ length: 60 }, (_, each) =>
            code(each % 7 === 3 ? sql`INSERT INTO t VALUES (1), (1)` : each % 2 ? sql`SELECT ${each}::int AS n` : sql`INSERT INTO t VALUES (${each}) RETURNING n`)));
    },
    async errors(sql) {
        const told = [];
        for (const text of ["SELECT 1/0", "SELEC", "SELECT $1::int", "", "SELECT 1; SELECT 1/0; SELECT 2"])
            told.push(await code(sql.unsafe(text, text.includes("$") ? ["x"] : [])));
        return [told, await sql`SELECT 1 AS n`];
    },
    async several(sql) {
        return [await sql`CREATE TEMP TABLE t AS SELECT 1 AS n; INSERT INTO t VALUES (2), (3); SELECT * FROM t`.simple(), await sql.unsafe("TABLE t")];
    },
    async cursors(sql) {
        const told = [];
        await sql`SELECT generate_series(1, 100) AS n`.cursor(7, (rows) => { told.push(rows.map((each) => each.n)); });
        for await (const rows of sql`SELECT generate_series(1, 20) AS n`.cursor(5)) {
            told.push(rows.length);
            if (rows[0].n > 5) break;
        }
        await sql`SELECT generate_series(1, 9) AS n`.forEach((row) => { told.push(row.n); });
        return [told, await sql`SELECT 'after' AS w`];
    },
    async copies(sql) {
        await sql`CREATE TEMP TABLE t (n int PRIMARY KEY, w text)`;
        const told = [], lines = Array.from({ length: 20_000 }, (_, each) => `${each}\tw${each}\n`);
        await pipeline(Readable.from(lines), await sql`COPY t FROM STDIN`.writable());
        let size = 0;
        for await (const each of await sql`COPY t TO STDOUT`.readable()) size += each.length;
        told.push(size, await code(sql`SELECT count(*), sum(n) FROM t`));
        return [told, await sql`SELECT 1 AS n`];
    },
    async transactions(sql) {
        const told = [];
        await sql.begin(async (within) => {
            await within`CREATE TEMP TABLE t (n int)`;
            told.push(await within.savepoint(async (deeper) => { await deeper`INSERT INTO t VALUES (1)`; await deeper`SELECT 1/0`; }).catch((e) => e.code));
            told.push(await within`SELECT count(*) FROM t`);
        });
        return told;
    },
    async cancelled(sql) {
        const query = sql`SELECT pg_sleep(300)`;
        const came = code(query);
        setTimeout(() => query.cancel(), 500);
        return [await came, await sql`SELECT 1 AS n`];
    },
    async notified(sql) {
        const heard = new Promise((told) => { void sql.listen("news", told, () => { void sql.notify("news", "now"); }); });
        return await heard;
    },
};

for (const prepare of [true, false])
    for (const [name, part] of Object.entries(parts)) {
        const sql = connect({ prepare });
        console.log(`${name} ${prepare} ${JSON.stringify(await part(sql).catch((e) => String(e)))}`);
        await sql.end();
    }
