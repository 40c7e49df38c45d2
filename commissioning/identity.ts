import { createHash, createPublicKey } from "node:crypto";
import { Sha256 } from "@coalmine/contract";
import { newSigningRequest } from "@coalmine/device/signing-request";
import type { Clock } from "@coalmine/ports";
import { createFromCsr, ExchangeRejected, registerThing } from "./claim-exchange.ts";
import { readClaimCode } from "./claim-code-file.ts";
import type { CodeExchange, ShownCode } from "./code-exchange.ts";
import { type DurableFiles, modes, readIfThere } from "./durable-files.ts";
import { readIdentity } from "./identity-files.ts";
import type { IotConnection, IotConnector, IotIdentity } from "./iot-connection.ts";
import type { Journal } from "./journal.ts";
import type { CommissionOptions } from "./options.ts";
import type { Places } from "./places.ts";
import { CommissioningRefused } from "./refusal.ts";

/** A certificate whose token was used up, or is over, is asked for anew so often. */
const CERTIFICATES_MAX = 2;

export interface IdentityParts {
  readonly options: CommissionOptions;
  readonly places: Places;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly iot: IotConnector;
  readonly codes: CodeExchange;
  readonly files: DurableFiles;
}

/**
 * Trades the code for an identity of the device's own. Key and request are on the disk before the code is shown, the
 * certificate before the thing, and the code goes only after the device has connected as itself: so a cut at any point
 * neither loses the identity nor leaves a second one. The code is this key's once it was shown, so that a claim that was
 * lost with the power is given again; a certificate whose answer was lost is never activated.
 */
export async function makeIdentity(parts: IdentityParts): Promise<void> {
  const { journal } = parts;
  if (journal.entries.proven === undefined) {
    await makeKey(parts);
    if (!(await isProvisionedAlready(parts))) await exchange(parts);
    await prove(parts);
  }
  if (journal.entries.claimErased === undefined) await eraseClaim(parts);
}

async function makeKey({ options, places, journal, clock, files }: IdentityParts): Promise<void> {
  if (journal.entries.key !== undefined) return;
  const { privateKey, request } = newSigningRequest(options.serial);
  await files.write(places.privateKey, privateKey, modes.privateKey);
  await files.write(places.signingRequest, request, modes.privateKey);
  await journal.done({ key: { at: clock.now() } });
}

/** An earlier run may have been cut after AWS IoT had made the thing and before that was written down. */
async function isProvisionedAlready(parts: IdentityParts): Promise<boolean> {
  const { journal, options, clock } = parts;
  if (journal.entries.thing !== undefined) return true;
  if (journal.entries.certificate === undefined) return false;
  try {
    await (await parts.iot.connect(await deviceIdentity(parts))).close();
  } catch (failure) {
    // Not active: the thing is still to be made.
    if (failure instanceof CommissioningRefused && failure.reason === "claim-refused") return false;
    throw failure;
  }
  await journal.done({ thing: { at: clock.now(), thingName: options.serial } });
  return true;
}

async function exchange(parts: IdentityParts): Promise<void> {
  const { iot, options, places, codes } = parts;
  const shown = await shownCode(places);
  // In memory only, and for five minutes.
  const claim = await codes.exchange(shown);
  const connection = await iot.connect({
    clientId: `claim-${options.serial}`,
    ...claim,
    rootCaPem: (await readIfThere(places.rootCa)) ?? "",
    whose: "claim",
  });
  try {
    for (let attempt = 1; ; attempt++) {
      await requestCertificate(parts, connection);
      if (await madeThing(parts, connection, attempt, shown)) return;
    }
  } finally {
    await connection.close();
  }
}

/** The code, and the key that it is for. */
async function shownCode(places: Places): Promise<ShownCode> {
  const code = await readClaimCode(places.claimCode);
  const privateKey = await readIfThere(places.privateKey);
  if (privateKey === undefined)
    throw new CommissioningRefused(
      "settings",
      `${places.privateKey} is gone; remove ${places.journal}, and commission the device with a new code`,
    );
  const publicKey = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  return { code, key: Sha256.parse(createHash("sha256").update(publicKey).digest("hex")) };
}

async function requestCertificate(parts: IdentityParts, connection: IotConnection): Promise<void> {
  const { places, journal, clock, files } = parts;
  if (journal.entries.certificate !== undefined) return;
  const request = await readIfThere(places.signingRequest);
  if (request === undefined)
    throw new CommissioningRefused(
      "settings",
      `${places.signingRequest} is gone; remove ${places.journal} and commission the device from the beginning`,
    );
  const created = await createFromCsr(connection, request, clock).catch((failure: unknown) => {
    throw failure instanceof ExchangeRejected ? claimRefusal(failure) : failure;
  });
  await files.write(places.ownershipToken, created.certificateOwnershipToken, modes.privateKey);
  await files.write(places.certificate, created.certificatePem, modes.certificate);
  await journal.done({ certificate: { at: clock.now(), certificateId: created.certificateId } });
}

/** False where the certificate is of no use any more and another has to be asked for. */
async function madeThing(
  parts: IdentityParts,
  connection: IotConnection,
  attempt: number,
  shown: ShownCode,
): Promise<boolean> {
  const { places, journal, options, clock } = parts;
  const { serial, site, hardwareId } = options;
  const token = await readIfThere(places.ownershipToken);
  try {
    if (token === undefined)
      throw new ExchangeRejected("InvalidCertificateOwnershipToken", "the token is not on the disk");
    const parameters = {
      SerialNumber: serial,
      Site: site,
      ...(hardwareId === undefined ? {} : { HardwareId: hardwareId }),
    };
    const thingName = await registerThing(
      connection,
      { template: options.provisioningTemplate, token, parameters },
      clock,
    );
    await journal.done({ thing: { at: clock.now(), thingName } });
    return true;
  } catch (failure) {
    if (!(failure instanceof ExchangeRejected)) throw failure;
    // The service deletes a certificate whose registration it refused.
    await journal.forget("certificate");
    if (failure.errorCode === "InvalidCertificateOwnershipToken" && attempt < CERTIFICATES_MAX) return false;
    throw (await allowListRefusal(parts, shown, failure)) ?? claimRefusal(failure);
  }
}

/** Nothing that the claim opened may go before the device has shown that it needs it no more. */
async function prove(parts: IdentityParts): Promise<void> {
  const connection = await parts.iot.connect(await deviceIdentity(parts));
  await connection.close();
  await parts.journal.done({ proven: { at: parts.clock.now() } });
}

async function eraseClaim({ places, journal, clock, files }: IdentityParts): Promise<void> {
  for (const path of [places.claimCode, places.ownershipToken, places.signingRequest])
    await files.erase(path);
  await journal.done({ claimErased: { at: clock.now() } });
}

/** How the device connects as itself. */
export async function deviceIdentity({
  journal,
  options,
  places,
}: Pick<IdentityParts, "journal" | "options" | "places">): Promise<IotIdentity> {
  return {
    clientId: journal.entries.thing?.thingName ?? options.serial,
    ...(await readIdentity({
      certificateFile: places.certificate,
      privateKeyFile: places.privateKey,
      rootCaFile: places.rootCa,
    })),
    whose: "device",
  };
}

/** AWS IoT says only that it refuses; the operator's side knows why its allow-list did. */
async function allowListRefusal(
  { codes }: IdentityParts,
  shown: ShownCode,
  failure: ExchangeRejected,
): Promise<CommissioningRefused | undefined> {
  if (failure.errorCode !== "AccessDenied") return undefined;
  const { refusal } = await codes.why(shown);
  if (refusal === undefined) return undefined;
  return new CommissioningRefused("not-allowed", `${refusal.reason}: ${refusal.message}`, { cause: failure });
}

function claimRefusal(failure: ExchangeRejected): CommissioningRefused {
  return new CommissioningRefused(
    "claim-refused",
    `AWS IoT refuses to make a device of this claim (${failure.message}); have the provisioning template looked at, and run this again`,
    { cause: failure },
  );
}
