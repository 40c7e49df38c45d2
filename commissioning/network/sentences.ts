import type { ConnectFailure, Handshaken, NoWay, Portal, PortalApi, Unresolved } from "@coalmine/site";
import { AHEAD_MS_MAX } from "../clock-limits.ts";
import { failed, type Finding, notChecked, ok } from "../doctor/finding.ts";
import { type Said, say, type Texts } from "../texts/texts.ts";
import type { NetworkCheck } from "./check-list.ts";

type Network = Texts["network"];

/** What a check found, in a language: with its values, and what to do. */
export function networkFinding(check: NetworkCheck, { network: texts }: Texts): Finding {
  const { titles } = texts;
  if (check.check === "link")
    return finding(titles.link, say(texts.link, check.result, check), check.result.kind === "connected");
  if (check.check === "gateway")
    return finding(
      titles.gateway,
      say(texts.gateway, check.result, undefined),
      check.result.kind === "there",
    );
  if (check.check === "portal") return portalFinding(check.result, texts);
  if (check.check === "name") return nameFinding(check, texts);
  if (check.check === "time") return timeFinding(check, texts);
  const title = titles.host(check.need);
  return isUnresolved(check.result)
    ? unresolvedFinding(title, check.result, texts)
    : finding(title, hostSaid(check.result, texts), check.result.kind === "trusted");
}

/** Why a link did not come up, for whoever asked for it. */
export function connectSaid(failure: ConnectFailure, { network }: Texts): Said {
  return say(network.connect, failure, undefined);
}

/** Also of a single door, outside the list. */
export function hostSaid(result: Handshaken, texts: Network): Said {
  return isNoWay(result) ? noWaySaid(result, texts) : say(texts.host, result, undefined);
}

function noWaySaid(result: NoWay, texts: Pick<Network, "noWay" | "unresolved">): Said {
  if (isUnresolved(result)) return say(texts.unresolved, result, undefined);
  const inner = result.kind === "proxy-unreachable" ? noWaySaid(result.why, texts).what : "";
  return say(texts.noWay, result, { inner });
}

const noWays: Readonly<Record<NoWay["kind"], true>> = {
  "no-dns": true,
  "unknown-name": true,
  "no-route": true,
  refused: true,
  silent: true,
  "proxy-unreachable": true,
  "proxy-refuses": true,
  broken: true,
};
function isNoWay(result: { readonly kind: string }): result is NoWay {
  return result.kind in noWays;
}
function isUnresolved(result: { readonly kind: string }): result is Unresolved {
  return result.kind === "no-dns" || result.kind === "unknown-name";
}

/** Port 80 is on nobody's list: that it is closed says nothing of a portal. */
function portalFinding(result: Portal | PortalApi, { portal, titles, ...texts }: Network): Finding {
  const title = titles.portal;
  if (result.kind === "captive-portal") return finding(title, portal.captive(result), false);
  if (result.kind === "none" || result.kind === "free") return finding(title, portal.none(), true);
  const why = isNoWay(result) ? noWaySaid(result, texts).what.replace(/\.$/, "") : result.why;
  return notChecked(title, portal.unknown({ why }).what, "");
}

function nameFinding(
  { name, result }: Extract<NetworkCheck, { check: "name" }>,
  { titles, resolved, unresolved }: Network,
): Finding {
  return result.kind === "resolved"
    ? finding(titles.name(name), resolved(result), true)
    : finding(titles.name(name), say(unresolved, result, undefined), false);
}

function timeFinding(
  { server, result }: Extract<NetworkCheck, { check: "time" }>,
  { titles, time, ...texts }: Network,
): Finding {
  const title = titles.time(server);
  if (isUnresolved(result)) return unresolvedFinding(title, result, texts);
  if (result.kind !== "answered" || Math.abs(result.aheadMs) <= AHEAD_MS_MAX)
    return finding(title, say<typeof result, void>(time, result, undefined), result.kind === "answered");
  const minutes = String(Math.round(Math.abs(result.aheadMs) / 60_000));
  return finding(title, time.off({ minutes, isAhead: result.aheadMs > 0, server }), false);
}

/** The name has a line of its own, which fails. */
function unresolvedFinding(title: string, result: Unresolved, { unresolved }: Pick<Network, "unresolved">) {
  const { what, todo = "" } = say(unresolved, result, undefined);
  return notChecked(title, what, todo);
}

function finding(title: string, { what, todo = "" }: Said, isOk: boolean): Finding {
  return isOk ? ok(title, what) : failed(title, "unreachable", what, todo);
}
