/**
 * Addresses that one customer of a provider commands: what is counted, and what is banned, as one.
 *
 * @module
 */

/** An IPv4 address as it is, or the /64 of an IPv6 address. */
export function addressGroup(address: string): string {
  // How a socket for both families shows IPv4: without this, all of that would be one group.
  const mapped = /^::ffff:([0-9.]+)$/i.exec(address)?.[1];
  if (mapped !== undefined || !address.includes(":")) return mapped ?? address;
  const [head = "", tail] = address.split("::");
  const groups = head.split(":").filter((group) => group !== "");
  const missing = tail === undefined
    ? 0
    : 8 - groups.length - tail.split(":").filter((group) => group !== "").length;
  const whole = [...groups, ...Array.from({ length: missing }, () => "0"), ...(tail?.split(":") ?? [])];
  return `${whole.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16)).join(":")}::/64`;
}
