import type { InstrumentId, InstrumentNotFound, NotFoundCause } from "@coalmine/contract";
import type { LinkTarget } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import { isLinkError, PortGone } from "./heard-port.ts";

/** A cause as a person is told of it: what was seen, and what to do. */
export function notFound(cause: NotFoundCause, instrument?: InstrumentId, reason = ""): InstrumentNotFound {
  return {
    found: false,
    passed: false,
    ...(instrument === undefined ? {} : { instrument }),
    cause,
    sentence: `${instrument === undefined ? "" : `${instrument}: `}${sentenceOf(cause, reason)}`,
  };
}

/** What became of a port that did not open, or went. What is neither is thrown on. */
export function notOpened(
  failure: unknown,
  instrument: InstrumentId | undefined,
  wasOpen: boolean,
  { kind }: Pick<LinkTarget, "kind">,
): InstrumentNotFound {
  const reason = messageOf(failure);
  if (kind === "tcp" && isLinkError(failure)) {
    const outcome = notFound({ kind: wasOpen ? "unplugged" : "not-opened" }, instrument);
    const sentence = `${instrument ?? ""}: the server is not reached (${reason}): check that host and port are right and that the network leads there.`;
    return { ...outcome, sentence };
  }
  if (failure instanceof PortGone) return notFound({ kind: "unplugged" }, instrument, reason);
  if (!isLinkError(failure)) throw failure;
  switch (failure.code) {
    case "LINK_BUSY":
      return notFound({ kind: "busy" }, instrument, reason);
    case "LINK_DENIED":
      return notFound({ kind: "denied" }, instrument, reason);
    case "NO_SUCH_LINK":
      return notFound({ kind: wasOpen ? "unplugged" : "no-port" }, instrument, reason);
    case "LINK_FAILED":
      break;
  }
  return notFound({ kind: wasOpen ? "unplugged" : "not-opened" }, instrument, reason);
}

function sentenceOf(cause: NotFoundCause, reason: string): string {
  switch (cause.kind) {
    case "silent":
      return cause.echo
        ? "only what was sent came back: the adapter hears itself and nobody else; check the instrument's power and the two data wires, or take off a loop-back plug."
        : `nothing came, at any usual rate${cause.askedMirrored ? " and upside down" : ""}: check the instrument's power and cable; on RS-232 exchange transmit and receive${cause.askedMirrored ? "" : ", on RS-485 A and B"}.`;
    case "swapped":
      return `the two data wires are swapped (${
        cause.by === "mirrored-question"
          ? "it answers when it is asked upside down"
          : "what it sends can be read upside down"
      }): exchange A and B at one end.`;
    case "wrong-baud":
      return `it does not speak at ${cause.baudRate} baud, at ${cause.fits} baud it does: set the port or the instrument to the other's rate.`;
    case "wrong-parity":
      return `it does not speak with parity ${cause.parity}, with parity ${cause.fits} it does: set the port or the instrument to the other's.`;
    case "wrong-device":
      return `something else answers, ${cause.answers}: plug in the right instrument, or correct the configuration.`;
    case "garbled":
      return `${cause.bytes} bytes came that make no sense at any usual rate or parity: check shield, ground and termination, and that no two devices speak at once.`;
    case "busy":
      return `another process has the port open: close that, then test again (${reason}).`;
    case "denied":
      return `no right to open the port: the user that runs this must be in the port's group (${reason}).`;
    case "no-port":
      return `there is no such port: plug it in, or correct its name (${reason}).`;
    case "not-opened":
      return `the port cannot be opened: check plug and name (${reason}).`;
    case "unplugged":
      break;
  }
  return `the port went while it was tested: check the plug and test again (${reason}).`;
}
