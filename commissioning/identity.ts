import { newSigningRequest } from "@coalmine/device/signing-request";
import type { Clock } from "@coalmine/ports";
import { createFromCsr, ExchangeRejected, registerThing } from "./claim-exchange.ts";
import { erase, modes, readIfThere, writeDurably } from "./durable-files.ts";
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
}

/**
 * Trades the claim for an identity of the device's own. Key and request are on the disk before a certificate is asked
 * for, the certificate before the thing, and the claim goes only after the device has connected as itself: so a cut at
 * any point neither loses the identity nor leaves a second one. A certificate whose answer was lost is never activated.
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

async function makeKey({ options, places, journal, clock }: IdentityParts): Promise<void> {
  if (journal.entries.key !== undefined) return;
  const { privateKey, request } = newSigningRequest(options.serial);
  await writeDurably(places.privateKey, privateKey, modes.privateKey);
  await writeDurably(places.signingRequest, request, modes.privateKey);
  await journal.done({ key: { at: clock.now() } });
}

/** An earlier run may have been cut after AWS IoT had made the thing and before that was written down. */
async function isProvisionedAlready(parts: IdentityParts): Promise<boolean> {
  const { journal, options, clock } = parts;
  if (journal.entries.thing !== undefined) return true;
  if (journal.entries.certificate === undefined) return false;
  try {
    await (await parts.iot.connect(deviceIdentity(parts))).close();
  } catch (failure) {
    // Not active: the thing is still to be made.
    if (failure instanceof CommissioningRefused && failure.reason === "claim-refused") return false;
    throw failure;
  }
  await journal.done({ thing: { at: clock.now(), thingName: options.serial } });
  return true;
}

async function exchange(parts: IdentityParts): Promise<void> {
  const { iot, options, places } = parts;
  const connection = await iot.connect({
    clientId: `claim-${options.serial}`,
    certificateFile: places.claim.certificate,
    privateKeyFile: places.claim.privateKey,
    rootCaFile: places.rootCa,
    whose: "claim",
  });
  try {
    for (let attempt = 1; ; attempt++) {
      await requestCertificate(parts, connection);
      if (await madeThing(parts, connection, attempt)) return;
    }
  } finally {
    await connection.close();
  }
}

async function requestCertificate(parts: IdentityParts, connection: IotConnection): Promise<void> {
  const { places, journal, clock } = parts;
  if (journal.entries.certificate !== undefined) return;
  const request = await readIfThere(places.signingRequest);
  if (request === undefined)
    throw new CommissioningRefused(
      "settings",
      `${places.signingRequest} is gone; remove ${places.journal} and commission the device from the beginning`,
    );
  const created = await refused(createFromCsr(connection, request, clock));
  await writeDurably(places.ownershipToken, created.certificateOwnershipToken, modes.privateKey);
  await writeDurably(places.certificate, created.certificatePem, modes.certificate);
  await journal.done({ certificate: { at: clock.now(), certificateId: created.certificateId } });
}

/** False where the certificate is of no use any more and another has to be asked for. */
async function madeThing(parts: IdentityParts, connection: IotConnection, attempt: number): Promise<boolean> {
  const { places, journal, options, clock } = parts;
  const token = await readIfThere(places.ownershipToken);
  try {
    if (token === undefined)
      throw new ExchangeRejected("InvalidCertificateOwnershipToken", "the token is not on the disk");
    const parameters = { SerialNumber: options.serial, Site: options.site };
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
    throw claimRefusal(failure);
  }
}

/** Nothing that the claim opened may go before the device has shown that it needs it no more. */
async function prove(parts: IdentityParts): Promise<void> {
  const connection = await parts.iot.connect(deviceIdentity(parts));
  await connection.close();
  await parts.journal.done({ proven: { at: parts.clock.now() } });
}

async function eraseClaim({ places, journal, clock }: IdentityParts): Promise<void> {
  for (const path of [
    places.claim.privateKey,
    places.claim.certificate,
    places.ownershipToken,
    places.signingRequest,
  ])
    await erase(path);
  await journal.done({ claimErased: { at: clock.now() } });
}

function deviceIdentity({ journal, options, places }: IdentityParts): IotIdentity {
  return {
    clientId: journal.entries.thing?.thingName ?? options.serial,
    certificateFile: places.certificate,
    privateKeyFile: places.privateKey,
    rootCaFile: places.rootCa,
    whose: "device",
  };
}

async function refused<Answer>(asked: Promise<Answer>): Promise<Answer> {
  try {
    return await asked;
  } catch (failure) {
    throw failure instanceof ExchangeRejected ? claimRefusal(failure) : failure;
  }
}

function claimRefusal(failure: ExchangeRejected): CommissioningRefused {
  return new CommissioningRefused(
    "claim-refused",
    `AWS IoT refuses to make a device of this claim (${failure.message}); check serial number and site with whoever gave the claim, and ask for a new one`,
    { cause: failure },
  );
}
