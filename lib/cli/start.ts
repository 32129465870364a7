import { NoConfigurationError } from '../primary/config-keeper.ts';
import { Gateway } from '../primary/gateway.ts';
import { type GatewaySettings, SettingsError } from '../primary/gateway-settings.ts';
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
  const signals = new SignalHandling();
  try {
    const gateway = await Gateway.create(settings, logger);
    gateway.onFatal = (message) => fail(gateway, message);
    gateway.onReady = onReady;
    signals.attach(gateway);
    await gateway.start();
  } catch (error) {
    // A start that is being given up may fail at anything; how it ends is decided already.
    if (signals.leaving) return;
    process.stderr.write(`fengling-gateway: ${explain(error)}\n`);
    process.exit(1);
  }
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

/** Takes signals from the first moment on; those that come before there is a gateway wait for it. */
class SignalHandling {
  #gateway: Gateway | null = null;
  #leaving = false;

  constructor() {
    process.on('SIGTERM', () => this.#leave());
    process.on('SIGINT', () => this.#leave());
    // Before the workers are up there is nothing to restart.
    process.on('SIGHUP', () => this.#gateway?.restartWorkers());
  }

  get leaving(): boolean {
    return this.#leaving;
  }

  attach(gateway: Gateway): void {
    this.#gateway = gateway;
    if (this.#leaving) this.#stop(gateway);
  }

  #leave(): void {
    if (this.#leaving) {
      this.#gateway?.kill();
      process.exit(1);
    }
    this.#leaving = true;
    if (this.#gateway !== null) this.#stop(this.#gateway);
  }

  #stop(gateway: Gateway): void {
    gateway.stop().then(
      () => process.exit(0),
      (error: Error) => fail(gateway, error.message),
    );
  }
}
