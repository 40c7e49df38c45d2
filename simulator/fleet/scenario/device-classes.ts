/** What a device of a class has; a mix of them is what a fleet in the field is. */
export interface DeviceClass {
  readonly about: string;
  /** What one component may fill of the device's disk. */
  readonly workFolderBytesMax: number;
}

const MIB = 1024 ** 2;

export const deviceClasses = {
  gateway: {
    about: "an industrial computer with room for a month offline",
    workFolderBytesMax: 4096 * MIB,
  },
  compact: { about: "a board whose eMMC leaves little", workFolderBytesMax: 512 * MIB },
  tiny: { about: "the smallest on which the components are supported", workFolderBytesMax: 96 * MIB },
} as const satisfies Readonly<Record<string, DeviceClass>>;
export type DeviceClassName = keyof typeof deviceClasses;

/** Only the keys of an object, as zod wants them. */
export function namesOf<Name extends string>(of: Readonly<Record<Name, unknown>>): [Name, ...Name[]] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Object.keys forgets the names' type.
  return Object.keys(of) as [Name, ...Name[]];
}
