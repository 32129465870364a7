import { type Address, SettingsError } from './gateway-settings.ts';

/**
 * Opens the port that a flag names. @returns where it listens, as host:port
 * @throws SettingsError where it cannot be opened
 */
export async function openPort(
  flag: string,
  { host, port }: Address,
  server: { listen(host: string, port: number): Promise<string> },
): Promise<string> {
  try {
    return await server.listen(host, port);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const mend =
      code === 'EADDRINUSE'
        ? `free the port or choose another with ${flag}`
        : `give an address of this host and a port that you may open with ${flag}`;
    throw new SettingsError(`cannot listen on ${host}:${port} (${code ?? message}): ${mend}`);
  }
}
