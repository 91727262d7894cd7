'use strict';
// A placement strategy as a side-car: a Machine with the label "zone" goes to a cluster whose KubevirtConfig has the same one.
//
//   PLACEMENT_SOCKET=/run/placement/zone.sock node plugin.js
//
// It is a pure function of the request: no I/O, no clock, no memory. Unreachable is not absent, and unset is not zero.

const fs = require('node:fs');
const path = require('node:path');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const protos = process.env.PLACEMENT_PROTO || path.join(__dirname, '..', '..', 'proto');
const definition = loader.loadSync('placement/v1/strategy.proto', {
  includeDirs: [protos], keepCase: true, enums: String, longs: Number, arrays: true, defaults: true,
});
const { StrategyService } = grpc.loadPackageDefinition(definition).placement.v1;

const labels = (pairs) => new Map(pairs.map(({ key, value }) => [key, value]));
let key = 'zone';

// decide answers with exactly one of place, no_opinion, hold and refusal.
function decide({ machine, candidates }) {
  const wanted = labels(machine.labels).get(key);
  if (!wanted) return { no_opinion: { reason: `the machine has no label ${key}` } };
  const fitting = candidates.filter((c) => labels(c.labels).get(key) === wanted).map((c) => c.name).sort();
  if (fitting.length === 0) {
    return { refusal: { reason: 'NoSuchZone', message: `no KubevirtConfig has the label ${key}=${wanted}` } };
  }
  return { place: { config: fitting[0], reason: `same ${key}` } };
}

const server = new grpc.Server({ 'grpc.max_receive_message_length': 16 << 20 });
server.addService(StrategyService.service, {
  Info: (call, reply) => reply(null, {
    name: 'zone-js',
    version: '1.0.0',
    config_schema: Buffer.from(JSON.stringify({ type: 'object', properties: { key: { type: 'string', minLength: 1 } } })),
  }),
  Configure: (call, reply) => {
    const text = call.request.config.toString();
    const { key: wanted = 'zone' } = text ? JSON.parse(text) : {};
    if (typeof wanted !== 'string' || wanted === '') {
      return reply(null, { violations: [{ field: 'key', message: 'must be a name of a label' }] });
    }
    key = wanted;
    return reply(null, { violations: [] });
  },
  Decide: (call, reply) => reply(null, decide(call.request)),
});

const socket = process.env.PLACEMENT_SOCKET;
fs.rmSync(socket, { force: true }); // one that was killed has left it
server.bindAsync(`unix://${socket}`, grpc.ServerCredentials.createInsecure(), (err) => {
  if (err) throw err;
  fs.chmodSync(socket, 0o660);
});
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => server.tryShutdown(() => process.exit(0)));
