/** How a core device is started as a process, from its bundle. */
interface DeviceCommand {
  readonly command: readonly [string, ...string[]];
  /** To be in its environment beside whatever else is. */
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Frugal as the components are by their recipes: a young generation of 2 MiB, a collection when there is nothing to do,
 * and memory that is freed goes back to the machine. Its components run as whoever starts it, root too: a machine of
 * somebody's has no user of Greengrass's.
 */
export function deviceCommand(node: string, program: string, root: string): DeviceCommand {
  const asRoot = process.getuid?.() === 0 ? ["--component-default-user", "root"] : [];
  return {
    command: [node, "--max-semi-space-size=2", "--expose-gc", program, "--root", root, ...asRoot],
    environment: { MALLOC_ARENA_MAX: "1", MALLOC_MMAP_THRESHOLD_: "65536", MALLOC_TRIM_THRESHOLD_: "65536" },
  };
}
