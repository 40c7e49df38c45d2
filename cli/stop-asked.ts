/**
 * Calls `asked` at the first SIGINT or SIGTERM. Ctrl-C reaches a whole process group and npm passes it on too, so it
 * comes several times: the later ones must not cut the clean-up off.
 */
export function onStopAsked(asked: (signal: NodeJS.Signals) => void): void {
  let first = true;
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.on(signal, () => {
      if (first) asked(signal);
      first = false;
    });
}
