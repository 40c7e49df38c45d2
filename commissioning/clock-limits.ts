/** AWS refuses requests whose date is further off. @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html */
export const AHEAD_MS_MAX = 5 * 60_000;
