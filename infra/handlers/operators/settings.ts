import * as z from "zod";

/** What the stack tells the function, beside `COALMINE_TARGETS`. */
export const Settings = z.object({
  COALMINE_ACCOUNT: z.string(),
  /** Where browsers have console and API from. */
  COALMINE_ORIGIN: z.url(),
  /** The user pool's, whose tokens are believed. */
  COALMINE_ISSUER: z.url(),
  COALMINE_CLIENT_ID: z.string().min(1),
  COALMINE_AUTHORIZE_URL: z.url(),
  COALMINE_TOKEN_URL: z.url(),
  COALMINE_REVOKE_URL: z.url(),
  COALMINE_LOGOUT_URL: z.url(),
});
export type Settings = z.infer<typeof Settings>;
