// Many connections of mysql2 (npm) that begin once all are in; each interleaves statements that are prepared at the server with
// others: `many_mysql2.mjs STEPS` reads the name of each connection from a line of standard input, and writes for each, as a
// line of JSON, what it asked, in order: `[text, [parameters]]`. Each holds the answers against what it asked.
import assert from "node:assert";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const mysql = createRequire(process.env.DRIVERS + "/")("mysql2/promise");
const names = readFileSync(0, "utf8").trim().split("\n");
const steps = Number(process.argv[2]);
const NAMED = [
    "SELECT CONCAT(?, ' a ', ?) AS told",
    "SELECT CONCAT(?, ' b ', ?) AS told -- the same in other words",
    "/* c */ SELECT CONCAT(?, ' c ', ?) AS told",
];

const connections = await Promise.all(names.map((user) => mysql.createConnection({
    host: "127.0.0.1", port: Number(process.env.PLAIN_PORT), user, database: process.env.WAY_DATABASE, connectTimeout: 240000,
})));

async function one(c, number) {
    const asked = [];
    for (let step = 0; step < steps; step++) {
        const text = `SELECT 'client ${number} step ${step}' AS told`;
        const which = Array.from({ length: 5 }, (_, each) => (number + step + each * (1 + number % 2)) % 3);
        const all = [[text, []], ...which.map((each) => [NAMED[each], [String(number), String(step)]])];
        asked.push(...all);
        const ask = ([text, values]) => (values.length ? c.execute(text, values) : c.query(text));
        const answers = [];
        if (step % 2) answers.push(...(await Promise.all(all.map(ask)))); // the driver sends each once the last is answered
        else for (const each of all) answers.push(await ask(each));
        const told = [`client ${number} step ${step}`, ...which.map((each) => `${number} ${"abc"[each]} ${step}`)];
        assert.deepStrictEqual(answers.map(([[row]]) => row.told), told);
    }
    await c.end();
    return asked;
}

for (const asked of await Promise.all(connections.map(one))) console.log(JSON.stringify(asked));
