import { join } from "node:path";
import { parseArgs } from "node:util";
import { nodeCrypto } from "@coalmine/device/crypto";
import { serialLinks } from "@coalmine/device/serial-links";
import { messageOf } from "@coalmine/runtime";
import { systemClock as clock } from "@coalmine/runtime/system-clock";
import { Secret } from "@coalmine/site";
import { networkManager } from "@coalmine/site/network-manager";
import { nodeProbes } from "@coalmine/site/node-probes";
import { ownAccessPoint } from "@coalmine/site/own-access-point";
import { systemProgram } from "@coalmine/site/system-program";
import { machineWire } from "@coalmine/site/wire";
import { withUser } from "../default-user.ts";
import { networkPorts } from "../network-ports.ts";
import { readFactorySettings } from "../options.ts";
import { buildAssets } from "../page/assets.ts";
import { BesideOwnNetwork } from "../own-network/beside-own-network.ts";
import { Door } from "../page/door.ts";
import { page } from "../page/page.ts";
import { readPageCode } from "../page/page-code.ts";
import { servePage } from "../page/page-server.ts";
import { CommissioningRefused } from "../refusal.ts";
import { walk } from "../terminal/terminal.ts";
import { lineConsole } from "../terminal/line-console.ts";
import { clockBattery } from "./clock-battery.ts";
import { completeAlone } from "./completion.ts";
import { openProgram } from "./program.ts";
import { setSystemClock } from "./set-system-clock.ts";

/** The technician's program on a new device: its own page, and the same way in this terminal. */
const usage = `usage: commissioning/technician/main.ts --settings FILE [--terminal] [--address ADDRESS] [--port PORT] [--own-network]
  FILE is JSON as the maker leaves it: serial, root, claimEndpoint, rootCaFile, region, the endpoints, serialFolders,
  referenceFluids. The page is on loopback unless --address names the device's own address. --terminal asks here instead.
  --own-network: where there is Wi-Fi and no link, the device offers a network for a phone, which finds the page there.
  What was done is kept: start it again after a power cut.
`;
const EXIT = { done: 0, unexpected: 1, usage: 2 } as const;
const PORT = 8090;
/** Where a phone asks whether there is an internet. */
const HTTP_PORT = 80;
/** IEEE 802.11; serial numbers have no other letters than those of one byte. */
const SSID_MAX = 32;

async function main(): Promise<number> {
  const given = argumentsGiven();
  if (given === undefined) {
    process.stderr.write(usage);
    return EXIT.usage;
  }
  const { settings: asked, referenceFluids, consoleUrl } = await readFactorySettings(given.settings);
  const settings = withUser(asked);
  const code = await readPageCode(join(settings.root, "commissioning", "page-code"), nodeCrypto);
  const links = networkManager(systemProgram);
  const own = { ssid: `coalmine-${settings.serial}`.slice(0, SSID_MAX), passphrase: new Secret(code) };
  const network = new BesideOwnNetwork(links, ownAccessPoint(systemProgram), own);
  const offered = given.ownNetwork && !given.terminal ? await network.offer() : undefined;
  const program = await openProgram({
    settings,
    ports: {
      clock,
      links: serialLinks(clock, { folders: settings.serialFolders }),
      ...networkPorts(settings, clock),
      versions: { node: process.versions.node },
    },
    network,
    probes: (proxy) => nodeProbes({ clock, wire: machineWire, proxy }),
    setClock: setSystemClock(systemProgram),
    battery: clockBattery(systemProgram),
    fluids: referenceFluids,
    consoleUrl,
  });
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
  const completing = completeAlone(
    { ...program, clock, told: (sentence) => void process.stderr.write(`${sentence}\n`) },
    stop.signal,
  );
  if (given.terminal) {
    const console = lineConsole(process.stdin, process.stdout, process.stdin.isTTY);
    const how = await walk(program.flow, console);
    console.close();
    if (how === "left") stop.abort();
    await completing;
    await network.withdraw();
    return EXIT.done;
  }
  const door = new Door(code, clock, nodeCrypto);
  const app = page({ ...program, door, assets: await buildAssets(), clock });
  const served = [await servePage(app, given)];
  if (offered?.kind === "open") {
    served.push(await servePage(app, { address: offered.address, port: HTTP_PORT }));
    process.stdout.write(`This device offers the network ${own.ssid}; its password is the page's code.\n`);
  } else if (offered !== undefined)
    process.stderr.write(`This device cannot offer a network of its own: ${offered.why}.\n`);
  for (const { address, port } of served)
    process.stdout.write(`The page is at http://${address}:${port}/ and opens with the code ${code}.\n`);
  await completing;
  await new Promise<void>((resolve) => {
    if (stop.signal.aborted) resolve();
    else stop.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  for (const page of served) await page.close();
  await network.withdraw();
  return EXIT.done;
}

function argumentsGiven() {
  try {
    const { values } = parseArgs({
      options: {
        settings: { type: "string" },
        terminal: { type: "boolean", default: false },
        address: { type: "string", default: "127.0.0.1" },
        port: { type: "string", default: String(PORT) },
        "own-network": { type: "boolean", default: false },
      },
    });
    const { settings, terminal, address, "own-network": ownNetwork } = values;
    const port = Number(values.port);
    return settings === undefined || !Number.isInteger(port) || port < 0 || port > 65_535
      ? undefined
      : { settings, terminal, address, port, ownNetwork };
  } catch {
    return undefined;
  }
}

main().then(
  (code) => process.exit(code),
  (failure: unknown) => {
    process.stderr.write(
      `${failure instanceof CommissioningRefused ? failure.sentence : messageOf(failure)}\n`,
    );
    process.exit(EXIT.unexpected);
  },
);
