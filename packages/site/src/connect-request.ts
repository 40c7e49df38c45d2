import * as z from "zod";
import { Secret } from "./secret.ts";

const secret = (text: z.ZodString) => text.transform((value) => new Secret(value));
const path = z.string().min(1).max(4096);
const identity = z.string().min(1).max(253);

/** IEEE 802.11 counts bytes: 32 of them. */
const Ssid = z
  .string()
  .min(1)
  .refine((name) => new TextEncoder().encode(name).length <= 32, "a network's name has at most 32 bytes");

/** 8 to 63 printable ASCII characters, or the 64 hexadecimal digits of the key itself (IEEE 802.11, J.4). */
const Psk = secret(
  z
    .string()
    .regex(
      /^([\x20-\x7e]{8,63}|[0-9A-Fa-f]{64})$/,
      "a WPA2 passphrase has 8 to 63 printable characters, or is a key of 64 hexadecimal digits",
    ),
);

/** Who the device is to the network. TLS takes certificate and key in PEM, or one PKCS #12 file as both. */
const Eap = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("peap"),
    identity,
    password: secret(z.string().min(1).max(256)),
    /** Sent in the clear before the tunnel stands. */
    anonymousIdentity: identity.optional(),
    /** Without it any authentication server is believed. */
    caFile: path.optional(),
  }),
  z.strictObject({
    kind: z.literal("tls"),
    identity,
    certificateFile: path,
    privateKeyFile: path,
    /** Where the key, or the PKCS #12 file, is encrypted. */
    privateKeyPassword: secret(z.string().min(1).max(256)).optional(),
    caFile: path.optional(),
  }),
]);
export type Eap = z.infer<typeof Eap>;

const Medium = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("ethernet"), eap: Eap.optional() }),
  z.strictObject({
    kind: z.literal("wifi"),
    ssid: Ssid,
    /** A network that does not tell its name is asked for by name. */
    hidden: z.boolean().default(false),
    security: z.discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("open") }),
      z.strictObject({ kind: z.literal("wpa2-psk"), passphrase: Psk }),
      z.strictObject({ kind: z.literal("sae"), passphrase: secret(z.string().min(1).max(128)) }),
      z.strictObject({ kind: z.literal("802.1x"), eap: Eap }),
    ]),
  }),
]);
export type Medium = z.infer<typeof Medium>;

/** DHCP, or what the hospital's IT wrote on a piece of paper. */
const Addressing = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("dhcp") }),
  z.strictObject({
    kind: z.literal("static"),
    /** With its prefix: `10.9.8.7/24`. */
    address: z.cidrv4(),
    gateway: z.ipv4(),
    dns: z.array(z.ipv4()).min(1).max(3),
  }),
]);

/** One link, as a person wants it. What is read from a page or a file comes in here, and its secrets print no more. */
export const ConnectRequest = z.strictObject({
  /** The adapter's name: `wlan0`. */
  adapter: z.string().regex(/^[A-Za-z0-9._-]{1,15}$/, "an adapter's name has at most 15 letters and digits"),
  medium: Medium,
  addressing: Addressing.default({ kind: "dhcp" }),
});
export type ConnectRequest = z.infer<typeof ConnectRequest>;
