import * as z from "zod";

/** What a person may do; each may do what those before it may. */
export const roles = ["viewer", "technician", "operator", "admin"] as const;
export const Role = z.enum(roles);
export type Role = z.infer<typeof Role>;

export const Person = z.object({ who: z.string().min(1).max(200), role: Role });
export type Person = z.infer<typeof Person>;

/** Who is signed in, and for how much longer. */
export const Session = Person.extend({ expiresInMs: z.number() });
export type Session = z.infer<typeof Session>;

/** How one signs in here: by the link that was printed on this machine, or with the provider at `start`. */
export const SignIn = z.discriminatedUnion("how", [
  z.object({ how: z.literal("link"), sentence: z.string() }),
  z.object({ how: z.literal("provider"), start: z.string() }),
]);
export type SignIn = z.infer<typeof SignIn>;

/** The link's one-time token: the answer sets the cookie, and the token is used up. */
export const EnterBody = z.strictObject({ token: z.string().min(1).max(200) });
export type EnterBody = z.infer<typeof EnterBody>;

/** Signed out; `at` is where the browser signs out of the provider as well. */
export const Left = z.object({ at: z.url().optional() });
export type Left = z.infer<typeof Left>;

/** A refusal: what, with which values, and what to do. */
export const Problem = z.object({ code: z.string(), sentence: z.string(), next: z.string() });
export type Problem = z.infer<typeof Problem>;

/**
 * When a value was so, and how long ago that is, on the clock of the fleet that it is of. Computed by the server; what
 * is `stale` is too old to decide on.
 */
export const Age = z.object({ atMs: z.number(), ageMs: z.number().nonnegative(), stale: z.boolean() });
export type Age = z.infer<typeof Age>;

/** `key` is made anew for each action, and the same when it is sent again: it is carried out once. */
export const ActionKey = z.string().regex(/^[\w-]{8,64}$/, "8 to 64 letters, digits, _ or -");
export const Reason = z
  .string()
  .trim()
  .min(1, "a reason is needed: it is what the audit log keeps")
  .max(1000);
