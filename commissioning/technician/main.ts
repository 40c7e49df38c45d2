import { join } from "node:path";
import { parseArgs } from "node:util";
import { nodeCrypto } from "@coalmine/device/crypto";
import { serialLinks } from "@coalmine/device/serial-links";
import { messageOf } from "@coalmine/runtime";
import { systemClock as clock } from "@coalmine/runtime/system-clock";
import { networkManager } from "@coalmine/site/network-manager";
import { nodeProbes } from "@coalmine/site/node-probes";
import { systemProgram } from "@coalmine/site/system-program";
import { machineWire } from "@coalmine/site/wire";
import { withUser } from "../default-user.ts";
import { networkPorts } from "../network-ports.ts";
import { readFactorySettings } from "../options.ts";
import { buildAssets } from "../page/assets.ts";
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
const usage = `usage: commissioning/technician/main.ts --settings FILE [--terminal] [--address ADDRESS] [--port PORT]
  FILE is JSON as the maker leaves it: serial, root, claimEndpoint, rootCaFile, region, the endpoints, serialFolders,
  referenceFluids. The page is on loopback unless --address names the device's own address. --terminal asks here instead.
  What was done is kept: start it again after a power cut.
`;
const EXIT = { done: 0, unexpected: 1, usage: 2 } as const;
const PORT = 8090;

async function main(): Promise<number> {
  const given = argumentsGiven();
  if (given === undefined) {
    process.stderr.write(usage);
    return EXIT.usage;
  }
  const { settings: asked, referenceFluids, consoleUrl } = await readFactorySettings(given.settings);
  const settings = withUser(asked);
  const program = await openProgram({
    settings,
    ports: {
      clock,
      links: serialLinks(clock, { folders: settings.serialFolders }),
      ...networkPorts(settings, clock),
      versions: { node: process.versions.node },
    },
    network: networkManager(systemProgram),
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
    return EXIT.done;
  }
  const code = await readPageCode(join(settings.root, "commissioning", "page-code"), nodeCrypto);
  const { flow, language, offered } = program;
  const door = new Door(code, clock, nodeCrypto);
  const served = await servePage(
    page({ flow, door, assets: await buildAssets(), clock, language, offered }),
    given,
  );
  process.stdout.write(
    `The page is at http://${served.address}:${served.port}/ and opens with the code ${code}.\n`,
  );
  await completing;
  await new Promise<void>((resolve) => {
    if (stop.signal.aborted) resolve();
    else stop.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  await served.close();
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
      },
    });
    const { settings, terminal, address } = values;
    const port = Number(values.port);
    return settings === undefined || !Number.isInteger(port) || port < 0 || port > 65_535
      ? undefined
      : { settings, terminal, address, port };
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
