// What node-postgres can do, in one connection after the other, each told as a line of what came of it. Both ways must
// tell the same. The connection comes from libpq's environment.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

const require = createRequire(process.env.DRIVERS + "/");
const pg = require("pg"), Cursor = require("pg-cursor"), QueryStream = require("pg-query-stream");
const { from: copyFrom, to: copyTo } = require("pg-copy-streams");

const { PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE, PGSSLROOTCERT } = process.env;
const settings = {
    host: PGHOST, port: Number(PGPORT), user: PGUSER, password: PGPASSWORD, database: PGDATABASE,
    ssl: { ca: readFileSync(PGSSLROOTCERT, "utf8") },
};

const parts = {
    async values(c) {
        const { rows, fields } = await c.query({
            text: "SELECT $1::int AS a, $2::text AS b, $3::bytea AS c, $4::int AS d, $5::jsonb AS e, $6::int[] AS f",
            values: [1, "ü\u{1f600}", Buffer.from([0, 255]), null, { a: [1] }, [1, null]],
        });
        return [rows, fields.map((each) => [each.name, each.dataTypeID])];
    },
    async named(c) {
        const told = [];
        for (let each = 0; each < 30; each++)
            told.push((await c.query({ name: `n${each % 3}`, text: `SELECT $1::int + ${each % 3} AS n`, values: [each] })).rows[0].n);
        return told;
    },
    async many_at_once(c) {
        const all = Array.from({ length: 100 }, (_, each) => c.query(each % 2 ? "SELECT $1::int AS n" : `SELECT ${each} AS n`, each % 2 ? [each] : undefined));
        return (await Promise.all(all)).map((each) => each.rows[0].n);
    },
    async errors(c) {
        const told = [];
        for (const text of ["SELECT 1/0", "SELEC", "SELECT $1::int"])
            await c.query(text, text.includes("$") ? ["x"] : undefined).catch((e) => told.push([e.code, e.severity, e.position]));
        return [told, (await c.query("SELECT 1 AS n")).rows];
    },
    async cursor(c) {
        const cursor = c.query(new Cursor("SELECT generate_series(1, $1::int) AS n", [25]));
        const told = [];
        for (;;) {
            const rows = await cursor.read(10);
            told.push(rows.map((each) => each.n));
            if (rows.length < 10) break;
        }
        await cursor.close();
        const closed = c.query(new Cursor("SELECT generate_series(1, 1000) AS n"));
        told.push((await closed.read(1)).length);
        await closed.close();
        return [told, (await c.query("SELECT 1 AS n")).rows];
    },
    async stream(c) {
        let sum = 0;
        for await (const row of c.query(new QueryStream("SELECT generate_series(1, 5000) AS n", [], { batchSize: 100 }))) sum += row.n;
        return sum;
    },
    async copy(c) {
        await c.query("CREATE TEMP TABLE t (n int, w text)");
        const lines = Readable.from((function* () { for (let each = 0; each < 20000; each++) yield `${each}\tw\\t${each % 7}\n`; })());
        const into = c.query(copyFrom("COPY t FROM STDIN"));
        await pipeline(lines, into);
        let size = 0;
        for await (const piece of c.query(copyTo("COPY t TO STDOUT"))) size += piece.length;
        return [into.rowCount, size];
    },
    async several(c) {
        return (await c.query("SELECT 1 AS a; CREATE TEMP TABLE x (n int); SELECT 2 AS b")).map((each) => [each.command, each.rows]);
    },
    async notifications(c) {
        const heard = new Promise((resolve) => c.on("notification", (each) => resolve([each.channel, each.payload])));
        await c.query("LISTEN word");
        await c.query("NOTIFY word, 'said'");
        return heard;
    },
    async cancelled(c) {
        const runs = c.query("SELECT pg_sleep(300)").catch((e) => e.code);
        await new Promise((resolve) => setTimeout(resolve, 300));
        const cancel = new pg.Client(settings), request = new cancel.connection.constructor({ ssl: settings.ssl });
        request.on("connect", () => request.requestSsl());
        request.on("sslconnect", () => request.cancel(c.processID, c.secretKey));
        request.on("error", () => {});
        request.connect(settings.port, settings.host);
        return [await runs, (await c.query("SELECT 1 AS n")).rows];
    },
    async pool() {
        const pool = new pg.Pool({ ...settings, max: 6 });
        const all = Array.from({ length: 40 }, (_, each) => pool.query("SELECT $1::int AS n", [each]));
        const told = (await Promise.all(all)).map((each) => each.rows[0].n);
        await pool.end();
        return told;
    },
    async timeout(c) {
        await c.query("SET statement_timeout = 100");
        return c.query("SELECT pg_sleep(300)").catch((e) => e.code);
    },
    async long(c) {
        const long = "ä".repeat(2_000_000);
        return (await c.query("SELECT length($1::text) AS n, $1::text AS w", [long])).rows.map((each) => [each.n, each.w.length]);
    },
};

for (const [name, part] of Object.entries(parts)) {
    const client = new pg.Client(settings);
    client.on("error", () => {});
    await client.connect();
    const came = await part(client).catch((error) => `${error.code} ${error.message}`);
    process.stdout.write(`${name} ${JSON.stringify(came)}\n`);
    await client.end();
}
