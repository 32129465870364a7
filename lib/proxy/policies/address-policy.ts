import type { ClientAddresses } from '../../core/config/model.ts';
import { ERRORS } from '../../core/errors.ts';
import { AddressSet } from '../../core/policy/address-ranges.ts';
import type { Passage, Policy } from './passage.ts';
import { type PolicyRefusal, refuse } from './verdict.ts';

/** Lets requests pass by the client's own address, as seen past trusted proxies. */
export class AddressPolicy implements Policy {
  readonly name = 'clientAddresses';
  readonly #settings: ClientAddresses;
  /** Null lets every address in that is not denied. */
  readonly #allowed: AddressSet | null;
  readonly #denied: AddressSet;

  constructor(settings: ClientAddresses) {
    this.#settings = settings;
    this.#allowed = settings.allow === undefined ? null : new AddressSet(settings.allow);
    this.#denied = new AddressSet(settings.deny ?? []);
  }

  decide({ clientAddress }: Passage): PolicyRefusal | null {
    return this.judge(clientAddress);
  }

  /** @param clientAddress empty where nobody knows it, which no rule lets in */
  judge(clientAddress: string): PolicyRefusal | null {
    if (clientAddress === '') return refuse(ERRORS.addressDenied);
    const isAllowed = this.#allowed === null || this.#allowed.has(clientAddress);
    return isAllowed && !this.#denied.has(clientAddress) ? null : refuse(ERRORS.addressDenied);
  }

  describe() {
    const { allow, deny } = this.#settings;
    const parts = [
      ...(allow === undefined ? [] : [`only from ${allow.length} ranges`]),
      ...(deny === undefined ? [] : [`not from ${deny.length} ranges`]),
    ];
    return { effect: parts.join(', '), settings: this.#settings };
  }
}
