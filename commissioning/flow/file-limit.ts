/** Of a file that a technician hands over: a certificate with its chain and key has some 10 kB. */
export const FILE_BYTES_MAX = 32 * 1024;
