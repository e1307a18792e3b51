/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * vmrig-bench-prepared: what the library adds to a KVM exit, without KVM. The
 * guest of the loop benchmarks runs on the KVM backend over a KVM whose KVM_RUN
 * does nothing but leave one and the same port exit in the run page; a bare loop
 * makes the same calls. Their difference is everything that the library does for
 * an exit: requests, kick word, decoding, bus, device, answer. Behind a real
 * exit, which drowns it in noise, the same work takes longer: the hypervisor
 * leaves caches, translations and branch predictions cold.
 */

#include "backends/kvm/kvm_host.h"
#include "tools/bench/bench.h"

/*
 * KVM_RUN: 0, with the exit in the page; or -EINTR, if the page asks for an
 * immediate exit. Neither loop's compiler sees into it, as with a system call.
 */
int prepared_kvm_run(struct kvm_run *run);
