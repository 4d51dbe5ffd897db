// A PostgreSQL with the settings of deploy/postgresql.conf, on its own port and in its own folder. It consists of many
// processes: the first one, and a child of it for each connection.

import { execFile, spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { appendFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { freePort } from "./port.ts";
import { Process, Service } from "./process.ts";
import { root } from "./server.ts";
import { until } from "./until.ts";

const run = promisify(execFile);
/** PostgreSQL refuses to run as root. Debian's package makes this user. */
const USER = "postgres";
/** After a crash, `syncfs` is much faster than one `fsync` for each file. Shared memory in the folder goes with it. */
const OPTIONS = ["-c", "recovery_init_sync_method=syncfs", "-c", "dynamic_shared_memory_type=mmap"];
const SOON_MS = 20_000;

export class Postgres extends Service {
  static #shared: Promise<Postgres> | undefined;
  static #databases = 0;

  private constructor(
    readonly port: number,
    private readonly folder: string,
  ) {
    const [program, ...args] = unprivileged("postgres", "-D", join(folder, "data"), "-p", `${port}`, "-k", folder, ...OPTIONS);
    // SIGTERM would wait for all connections to end. SIGINT ends them.
    super(new Process(`PostgreSQL on port ${port}`, { program, args, cwd: folder, stop: "SIGINT" }));
  }

  /** Makes an empty server and starts it. */
  static async start(): Promise<Postgres> {
    const postgres = await Postgres.#create();
    const data = join(postgres.folder, "data");
    await exec(postgres.folder, "initdb", "-D", data, "-U", USER, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync");
    await appendFile(join(data, "postgresql.conf"), await readFile(join(root, "deploy/postgresql.conf")));
    await postgres.up();
    return postgres;
  }

  /** The server that all tests of this process use, each with its own database. It ends with the process. */
  static async shared(): Promise<Postgres> {
    Postgres.#shared ??= Postgres.start().then((postgres) => {
      // Before the handler that kills what still runs: PostgreSQL then removes its shared memory.
      process.prependListener("exit", () => postgres.#end());
      return postgres;
    });
    return Postgres.#shared;
  }

  /** The URL of a database on these servers, for replicas. The first that accepts writes counts. */
  static url(database: string, ...servers: Postgres[]): string {
    const hosts = servers.map(({ port }) => `127.0.0.1:${port}`).join(",");
    return `postgres://${USER}@${hosts}/${database}`;
  }

  /** Creates an empty database and returns its name. */
  async createDatabase(): Promise<string> {
    Postgres.#databases += 1;
    const name = `test_${Postgres.#databases}`;
    await this.ask(`create database ${name}`);
    return name;
  }

  /** Removes a database. */
  async drop(database: string): Promise<void> {
    await this.ask(`drop database if exists ${database} with (force)`);
  }

  /** Starts it on its port and folder. Returns the time of its first answer. */
  async up(): Promise<number> {
    await this.process.up(() => exec(this.folder, "pg_isready", "-q", "-h", "127.0.0.1", "-p", `${this.port}`).then(() => true, () => false));
    return performance.now();
  }

  override async down(): Promise<number> {
    this.resume();
    return super.down();
  }

  /** Ends all its processes at once, as a power cut would. */
  override async kill(): Promise<void> {
    // A stopped process starts no others.
    this.process.pause();
    const children = this.#children();
    for (const pid of children) signal(pid, "SIGKILL");
    await super.kill();
    await until("all processes of PostgreSQL are gone", SOON_MS, () => !children.some(alive));
  }

  /** Stops all its processes (SIGSTOP) until `resume`. */
  override pause(): void {
    super.pause();
    for (const pid of this.#children()) signal(pid, "SIGSTOP");
  }

  override resume(): void {
    for (const pid of this.#children()) signal(pid, "SIGCONT");
    super.resume();
  }

  async dispose(): Promise<void> {
    await this.down();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Runs statements. Returns what psql prints: a line for each row, with `|` between the columns. */
  async ask(sql: string, database = "postgres"): Promise<string> {
    const address = ["-h", "127.0.0.1", "-p", `${this.port}`, "-U", USER, "-d", database];
    return exec(this.folder, "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", ...address, "-c", sql);
  }

  /** Starts a synchronous standby: from now on, this server confirms nothing that the standby has not stored. */
  async standby(): Promise<Postgres> {
    const standby = await Postgres.#create();
    const from = `host=127.0.0.1 port=${this.port} user=${USER} application_name=standby`;
    await exec(standby.folder, "pg_basebackup", "-d", from, "-D", join(standby.folder, "data"), "-R", "--checkpoint=fast", "--no-sync");
    await standby.up();
    await this.ask("alter system set synchronous_standby_names = 'standby'");
    await this.ask("select pg_reload_conf()");
    await until("the standby is synchronous", SOON_MS, async () => (await this.ask("select sync_state from pg_stat_replication")) === "sync");
    return standby;
  }

  /** Makes a standby the primary. Returns the time from which it accepts writes. */
  async promote(): Promise<number> {
    await this.ask("select pg_promote()");
    return performance.now();
  }

  static async #create(): Promise<Postgres> {
    const folder = await mkdtemp(join(tmpdir(), "hubbub-postgres-"));
    if (isRoot()) await run("chown", [USER, folder]);
    return new Postgres(await freePort(), folder);
  }

  /** The ids of its processes but the first. A signal to the first one's process group reaches none of them. */
  #children(): number[] {
    if (!this.process.running) return [];
    const pid = this.process.pid;
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
  }

  #end(): void {
    this.resume();
    const [program, ...args] = unprivileged("pg_ctl", "stop", "-s", "-D", join(this.folder, "data"), "-m", "immediate");
    spawnSync(program, args, { cwd: this.folder, stdio: "ignore" });
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** Runs one of PostgreSQL's programs and returns what it prints. */
async function exec(cwd: string, name: string, ...args: string[]): Promise<string> {
  const [program, ...all] = unprivileged(name, ...args);
  return (await run(program, all, { cwd })).stdout.trimEnd();
}

/** The command line for one of PostgreSQL's programs, as a user that may run it. */
function unprivileged(name: string, ...args: string[]): [string, ...string[]] {
  const command: [string, ...string[]] = [program(name), ...args];
  return isRoot() ? ["setpriv", "--reuid", USER, "--regid", USER, "--init-groups", ...command] : command;
}

/** Debian has a folder for each version, and does not put all programs on PATH. */
function program(name: string): string {
  const versions = "/usr/lib/postgresql";
  const numbers = existsSync(versions) ? readdirSync(versions).map(Number).sort((a, b) => b - a) : [];
  return numbers.map((version) => `${versions}/${version}/bin/${name}`).find(existsSync) ?? name;
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended in the meantime.
  }
}

/** Whether a process exists and is not just waiting to be reaped. */
function alive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
