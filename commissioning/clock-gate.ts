import { request } from "node:https";
import type { Clock } from "@coalmine/ports";
import type { Proxy } from "@coalmine/site";
import { AHEAD_MS_MAX } from "./clock-limits.ts";
import { CommissioningRefused } from "./refusal.ts";
import { refusedBy, tunnelBy, type TlsDoor } from "./tls-probe.ts";

/** A clock before this has never been set: no device is older than this program. */
const EARLIEST_MS = Date.UTC(2025, 0, 1);
const ANSWER_MS = 15_000;
const HTTPS_PORT = 443;

/** Whether somebody or something ever set it. */
export function isSetClock(clock: Pick<Clock, "now">): boolean {
  return clock.now() >= EARLIEST_MS;
}

/** Without a right time no certificate can be judged and every measurement is misdated: that is looked at first. */
export function refuseUnsetClock(clock: Clock): void {
  const now = clock.now();
  if (!isSetClock(clock))
    throw new CommissioningRefused(
      "clock-not-set",
      `the clock says ${new Date(now).toISOString()}; set it (\`timedatectl set-ntp true\`, or \`date --set\`), and replace the clock's battery if it comes back`,
    );
}

/** Compares the device's clock with a server's `Date`; resolves with how far the device is ahead, in ms. */
export async function compareClock(
  door: {
    readonly endpoint: string;
    /** What some servers want before they say anything. */
    readonly certificatePem?: string;
    readonly privateKeyPem?: string;
    readonly rootCaPem: string;
  },
  clock: Clock,
  proxy: Proxy | undefined,
): Promise<number> {
  const [host = "", port = String(HTTPS_PORT)] = door.endpoint.split(":");
  const at = { ...door, host, port: Number(port) };
  const date = await serverDate(at, clock, proxy).catch((failure: unknown) =>
    refusedBy(at, failure, clock, proxy),
  );
  const now = clock.now();
  const aheadMs = now - date;
  if (Math.abs(aheadMs) > AHEAD_MS_MAX)
    throw new CommissioningRefused(
      "clock-off",
      `the clock says ${new Date(now).toISOString()}, ${door.endpoint} says ${new Date(date).toISOString()}: ${Math.round(Math.abs(aheadMs) / 60_000)} minutes ${aheadMs > 0 ? "ahead" : "behind"}; set it (\`timedatectl set-ntp true\`), and check that 123/udp is open`,
    );
  return aheadMs;
}

/** Whatever the server answers, it says what time it is. */
async function serverDate(
  door: TlsDoor & { readonly endpoint: string },
  clock: Clock,
  proxy: Proxy | undefined,
): Promise<number> {
  const by = await tunnelBy(proxy, door, clock);
  return new Promise((resolve, reject) => {
    const asked = request({
      host: door.host,
      port: door.port,
      path: "/",
      method: "GET",
      cert: door.certificatePem,
      key: door.privateKeyPem,
      ca: door.rootCaPem,
      agent: false,
      ...by,
    });
    const late = clock.timer(ANSWER_MS, () =>
      asked.destroy(
        new CommissioningRefused(
          "unreachable",
          `${door.endpoint} does not answer within ${ANSWER_MS / 1000} s; open it in the firewall`,
        ),
      ),
    );
    asked.on("response", (response) => {
      late.cancel();
      response.resume();
      const date = Date.parse(response.headers.date ?? "");
      if (Number.isNaN(date))
        reject(
          new CommissioningRefused(
            "unreachable",
            `${door.endpoint} answers without a date: something between here and AWS answers in its place; ask for a direct way`,
          ),
        );
      else resolve(date);
    });
    asked.on("error", (failure) => {
      late.cancel();
      reject(failure);
    });
    asked.end();
  });
}
