// pm2 start ecosystem.config.cjs
// The primary is the app (fork mode): it keeps one worker a core by itself, and pm2's own cluster mode would
// come between. `pm2 sendSignal SIGHUP gateway` restarts the workers without losing a request;
// `pm2 reload` stops and starts the whole instance, which does.
const fs = require('node:fs');
const path = require('node:path');

const ownNode = path.join(__dirname, 'node_modules/.bin/node');
const drainTimeoutMs = Number(process.env.GATEWAY_DRAIN_TIMEOUT_MS ?? 30_000);

module.exports = {
  apps: [
    {
      name: 'gateway',
      script: path.join(__dirname, 'bin/gateway'),
      args: 'start',
      interpreter: fs.existsSync(ownNode) ? ownNode : 'node',
      exec_mode: 'fork',
      instances: 1,
      // Set by the gateway with process.send('ready') once every worker serves.
      wait_ready: true,
      listen_timeout: 30_000,
      // Longer than the drain, or pm2 kills what is still answering.
      kill_timeout: drainTimeoutMs + 5_000,
      // Only the primary gets the signal; it drains its workers itself.
      treekill: false,
      pmx: false,
    },
  ],
};
