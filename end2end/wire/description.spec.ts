// The description of the commands over HTTP: a linter checks it, schemathesis sends everything that it allows, and the
// examples of docs/protocol.md run as written.

import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { bearer, post } from "../support/api.ts";
import { Server } from "../support/server.ts";
import { expect, test } from "../support/test.ts";

const run = promisify(execFile);
const SEED = "771304858";

/** Runs a program. Resolves to its output, whether or not it failed. */
async function output(program: string, args: string[], cwd: string): Promise<{ failed: boolean; text: string }> {
  const env = { ...process.env, REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true" };
  return run(program, args, { cwd, env, maxBuffer: 1 << 24 }).then(
    ({ stdout, stderr }) => ({ failed: false, text: stdout + stderr }),
    (error: { stdout?: string; stderr?: string }) => ({ failed: true, text: `${String(error)}\n${error.stdout}${error.stderr}` }),
  );
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "hubbub-description-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test("the description passes the linter", async ({ server }) => {
  await inFolder(async (folder) => {
    const file = join(folder, "openapi.json");
    await writeFile(file, await (await fetch(`${server.url}/api/v1/openapi.json`)).text());
    const redocly = join(import.meta.dirname, "../node_modules/.bin/redocly");
    const { failed, text } = await output(redocly, ["lint", file], folder);
    expect(failed, text).toBe(false);
    expect(text).toContain("is valid");
  });
});

for (const role of ["nobody", "signed in"] as const) {
  test(`what the description allows gets the answers that it describes: ${role}`, async () => {
    test.setTimeout(120_000);
    const tools = process.env["HUBBUB_TOOLS"] ?? join(import.meta.dirname, "../../.tools");
    const server = await Server.start({ HUBBUB_LIMITS: "off" });
    try {
      const { reply } = await post<{ token: string }>(server.url, "sign_in", { name: "Ada" });
      const headers = role === "nobody" ? {} : bearer(reply.error === undefined ? reply.ok.token : undefined);
      const args = ["run", `${server.url}/api/v1/openapi.json`, "--url", `${server.url}/api/v1`, "--seed", SEED];
      // No schema can express which Unicode characters a name or a text may contain.
      args.push("--max-examples", "30", "--no-color", "--exclude-checks", "positive_data_acceptance");
      for (const [name, value] of Object.entries(headers)) args.push("--header", `${name}: ${value}`);
      const schemathesis = join(tools, "schemathesis/bin/schemathesis");
      const { failed, text } = await inFolder((folder) => output(schemathesis, args, folder));
      expect(failed, text).toBe(false);
      expect(text).toMatch(/Tested: 10/);
    } finally {
      await server.dispose();
    }
  });
}

test("the examples of the documentation work", async () => {
  const page = await readFile(join(import.meta.dirname, "../../docs/protocol.md"), "utf8");
  const section = page.slice(page.indexOf("## Over HTTP"));
  const script = /```sh\n([^`]*)```/.exec(section)?.[1];
  if (script === undefined) throw new Error("there are examples");
  const server = await Server.start();
  try {
    const { failed, text } = await output("bash", ["--norc", "-euc", script.replaceAll("http://127.0.0.1:3000", server.url)], ".");
    expect(failed, text).toBe(false);
    const answers = text.replaceAll("}{", "}\n{").split("\n");
    expect(answers.length, text).toBe(3);
    for (const answer of answers) expect(JSON.parse(answer), answer).toHaveProperty("ok");
    expect(text).toContain("Version 42 is live.");
  } finally {
    await server.dispose();
  }
});
