import { NoConfigurationError } from '../primary/config-keeper.ts';
import { Gateway, type GatewaySettings, SettingsError } from '../primary/gateway.ts';
import { createLogger } from '../telemetry/logger.ts';

/**
 * Runs a gateway until a signal ends it: SIGTERM or SIGINT drains, a second one ends it at once, SIGHUP
 * restarts the workers one by one.
 * @param onReady called once all workers serve, with the addresses that were opened, as host:port
 */
export async function runGateway(
  settings: GatewaySettings,
  onReady: (listen: string, admin: string) => void = () => {},
): Promise<void> {
  const logger = createLogger({
    level: settings.logLevel,
    pretty: settings.prettyLog,
    base: { pid: process.pid, instance: settings.instance },
  });
  let gateway: Gateway;
  try {
    gateway = await Gateway.create(settings, logger);
    gateway.onFatal = (message) => fail(gateway, message);
    gateway.onReady = onReady;
    await gateway.start();
  } catch (error) {
    process.stderr.write(`fengling-gateway: ${explain(error)}\n`);
    process.exit(1);
  }
  handleSignals(gateway);
}

function explain(error: unknown): string {
  if (error instanceof NoConfigurationError || error instanceof SettingsError) return error.message;
  return error instanceof Error ? error.message : String(error);
}

function fail(gateway: Gateway, message: string): void {
  process.stderr.write(`fengling-gateway: ${message}\n`);
  gateway.kill();
  process.exit(1);
}

function handleSignals(gateway: Gateway): void {
  let leaving = false;
  const leave = (): void => {
    if (leaving) {
      gateway.kill();
      process.exit(1);
    }
    leaving = true;
    gateway.stop().then(
      () => process.exit(0),
      (error: Error) => fail(gateway, error.message),
    );
  };
  process.on('SIGTERM', leave);
  process.on('SIGINT', leave);
  process.on('SIGHUP', () => gateway.restartWorkers());
}
