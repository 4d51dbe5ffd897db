// Addresses of rooms: every title has its own, and near misses redirect to it.

import { randomUUID } from "node:crypto";

import { expect, test } from "../support/test.ts";

test("different titles make different rooms, in any script", async ({ program }) => {
  const host = await program("Host");
  const tail = randomUUID().slice(0, 8);
  const rooms: string[] = [];
  for (const title of ["C++", "C#", "C", "C!?*", "Новости", "Погода", "Öl", "Äl", "日本語", "🎉"]) {
    const { room } = await host.createRoom(`${title} ${tail}`);
    expect(room).toMatch(/^[a-z0-9-]+$/);
    rooms.push(room);
  }
  expect(new Set(rooms).size).toBe(rooms.length);
  expect(rooms[0]).toBe(`cpp-${tail}`);
  expect(rooms[4]).toBe(`novosti-${tail}`);
  for (const title of [`C++ ${tail}`, `Öl ${tail}`, `новости ${tail}`]) {
    const again = await host.ask<never>("create_room", { title });
    expect(again.error?.code, title).toBe("room_exists");
  }
});

test("the form leads to the existing room with this title", async ({ server, program }) => {
  const host = await program("Host");
  const title = `Ärger ${randomUUID().slice(0, 8)}`;
  const { room } = await host.createRoom(title);
  const signedIn = await fetch(`${server.url}/session`, { method: "POST", body: new URLSearchParams({ name: "Ada" }), redirect: "manual" });
  const cookie = signedIn.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  const answer = await fetch(`${server.url}/rooms`, { method: "POST", body: new URLSearchParams({ title }), headers: { cookie }, redirect: "manual" });
  expect(answer.headers.get("location")).toBe(`/?room=${room}&problem=room_exists`);
});

test("upper case and a trailing slash redirect to the one address", async ({ server }) => {
  for (const [path, address] of [
    ["/rooms/Lobby", "/rooms/lobby"],
    ["/rooms/lobby/", "/rooms/lobby"],
    ["/rooms/LOBBY/?before=3", "/rooms/lobby?before=3"],
    ["/rooms/", "/"],
  ]) {
    const answer = await fetch(`${server.url}${path}`, { redirect: "manual" });
    expect([answer.status, answer.headers.get("location")], path).toEqual([308, address]);
  }
  expect((await fetch(`${server.url}/rooms/No-Such-Room`)).status).toBe(404);
});
