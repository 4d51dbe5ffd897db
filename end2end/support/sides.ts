// Hubbub and the chat that it is compared with, each with three processes, its own Redis and the same nginx in front,
// and the same people: two who talk and one who listens for each process, in a room of their own.

import { ChatClient, type ChatOptions } from "./client.ts";
import { Cluster } from "./cluster.ts";
import { Listener, Talker } from "./load.ts";
import { PeerEar, PeerSite, PeerVoice } from "./peer.ts";
import { COOKIE } from "./proxy.ts";
import { freshTitle } from "./seed.ts";
import { type Ear, People, type Site, type Voice } from "./site.ts";

export type SideName = "hubbub" | "socketio";

export interface SiteOptions {
  envOf?: ((replica: number) => Record<string, string>) | undefined;
}

export interface PeopleOptions {
  /** Where they go, instead of the proxy. */
  url?: string | undefined;
  /** Everybody over WebSocket. Otherwise those on the first replica poll. */
  webSocketOnly?: boolean | undefined;
  /** Hubbub only: this room instead of a new one. */
  room?: string | undefined;
  /** On how many replicas. */
  replicas?: number;
  voicesPerReplica?: number;
  everyMs?: number;
}

export interface Side {
  readonly name: SideName;
  site(options?: SiteOptions): Promise<Site>;
  people(site: Site, options?: PeopleOptions): Promise<People>;
}

/** How the web app reconnects. */
const RECONNECTION: ChatOptions = { reconnectionDelay: 500, reconnectionDelayMax: 5_000 };

type Open = (replica: number, options: ChatOptions) => Promise<{ voices: Voice[]; ear: Ear }>;

async function spread(site: Site, { webSocketOnly = false, replicas = site.replicas.length }: PeopleOptions, open: Open): Promise<People> {
  const [voices, ears]: [Voice[], Ear[]] = [[], []];
  for (let n = 0; n < replicas; n += 1) {
    const cookie = `${COOKIE}=${await site.proxy.cookie(n)}`;
    const transports = n === 0 && !webSocketOnly ? ["polling"] : ["websocket"];
    const group = await open(n, { ...RECONNECTION, transports, extraHeaders: { cookie } });
    voices.push(...group.voices);
    ears.push(group.ear);
  }
  return new People(voices, ears);
}

const EVERY_MS = 100;
const VOICES = 2;
let rooms = 0;

export const hubbub: Side = {
  name: "hubbub",
  site: ({ envOf } = {}) => Cluster.start({ proxy: "nginx", env: { HUBBUB_LIMITS: "off" }, envOf }),
  people: async (site, options = {}) => {
    const url = options.url ?? site.proxy.url;
    const clients: ChatClient[] = [];
    const client = async (to: string, name: string, how?: ChatOptions): Promise<ChatClient> => {
      const one = new ChatClient(to, how);
      clients.push(one);
      await one.signIn(name);
      return one;
    };
    let room = options.room;
    if (room === undefined) {
      const host = await client(site.proxy.url, "Host");
      room = (await host.createRoom(freshTitle("Fault"))).room;
      host.close();
    }
    const name = room;
    rooms += 1;
    const group = rooms;
    return spread(site, options, async (n, how) => {
      const voices: Voice[] = [];
      const ear = await Listener.start(await client(url, `Listener ${n}`, how), name);
      for (let i = 0; i < (options.voicesPerReplica ?? VOICES); i += 1) {
        const who = `h${group}-${n}-${i}`;
        voices.push(new Talker(await client(url, who, how), who, name, options.everyMs ?? EVERY_MS));
      }
      return { voices, ear };
    });
  },
};

export const socketio: Side = {
  name: "socketio",
  site: ({ envOf } = {}) => PeerSite.start(3, envOf),
  people: async (site, options = {}) => {
    const url = options.url ?? site.proxy.url;
    rooms += 1;
    const group = rooms;
    return spread(site, options, async (n, how) => {
      const ear = await PeerEar.open(url, `Listener ${n}`, how);
      const voices: Voice[] = [];
      for (let i = 0; i < (options.voicesPerReplica ?? VOICES); i += 1) {
        voices.push(await PeerVoice.open(url, `p${group}-${n}-${i}`, options.everyMs ?? EVERY_MS, how));
      }
      return { voices, ear };
    });
  },
};
