import { systemClock as clock } from "@coalmine/runtime/system-clock";
import { expect, test } from "vitest";
import { nodeProbes } from "./node-probes.ts";
import { addressesIn, machineWire } from "./wire.ts";

test("what the machine knows by its own file is not asked for; version 4 comes first", () => {
  const hosts =
    "::1 localhost ip6-localhost\n127.0.0.1\tlocalhost # 10.0.0.1 iot.example\n10.1.2.3 iot.example iot\n";
  expect(addressesIn(hosts, "localhost")).toEqual(["127.0.0.1", "::1"]);
  expect(addressesIn(hosts, "iot.example")).toEqual(["10.1.2.3"]);
  expect(addressesIn(hosts, "example")).toEqual([]);
});

test("the machine's own sockets: localhost is known, and a port where nobody listens is refused", async () => {
  const probes = nodeProbes({ clock, wire: machineWire });
  expect(await probes.resolve("localhost")).toMatchObject({ kind: "resolved" });
  expect(await probes.open("127.0.0.1", 1)).toEqual({ kind: "refused", address: "127.0.0.1", port: 1 });
  expect(await probes.gateway("127.0.0.1")).toEqual({ kind: "there" });
});
