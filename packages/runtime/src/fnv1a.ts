/** The 32 bits of FNV-1a over a text's UTF-16 units, as a signed number; another `salt` gives other ones. */
export function fnv1a(text: string, salt = 0): number {
  let hash = (0x811c9dc5 ^ Math.imul(salt, 0x9e3779b1)) | 0;
  for (let index = 0; index < text.length; index++)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash;
}
