/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Interrupt controllers inside the mock, for irqchip=split and kernel: local
 * APICs, and with kernel an IO-APIC. Written apart from lib/devices, so that
 * one can be held against the other. Intel SDM vol. 3, chapter 11; 82093AA.
 *
 * There is no timer, no cluster addressing and no PIC: what programs and
 * scenarios use, and no more. The PIC's ports are taken and do nothing.
 */

#include "backends/mock/machine.h"

#define APIC_BASE_BSP UINT64_C(0x100)
#define APIC_BASE_X2APIC UINT64_C(0x400)
#define X2APIC_MSR_FIRST 0x800u
#define X2APIC_MSR_COUNT 0x100u

enum vmr_status chip_create(struct vmr_backend_vm *vm, struct vmr_error *err);
void chip_destroy(struct chip *chip); /* NULL is fine */

/* --- any thread --- */

/* False: no local APIC takes it. */
bool chip_msi(struct vmr_backend_vm *vm, const struct vmr_msi *msi);
bool chip_irq(struct vmr_backend_vm *vm, uint32_t gsi, bool level);
bool chip_lint(struct vmr_backend_vm *vm, vmr_vp_index vp, unsigned lint);
bool chip_set_route(struct vmr_backend_vm *vm, uint32_t gsi, const struct vmr_msi *msi);

/* --- the VP's thread --- */

/* The guest touched `gpa`. False: not a register of these controllers. */
bool chip_load(struct vmr_backend_vp *vp, vmr_gpa gpa, unsigned size, uint8_t *ret_bytes);
bool chip_store(struct vmr_backend_vp *vp, vmr_gpa gpa, unsigned size, const uint8_t *bytes);
/* An x2APIC MSR. False: #GP. */
bool chip_read_msr(struct vmr_backend_vp *vp, uint32_t index, uint64_t *ret_value);
bool chip_write_msr(struct vmr_backend_vp *vp, uint32_t index, uint64_t value);
/* Whether these controllers answer at `port`: they are all in the hypervisor, and it is the PIC's. */
bool chip_takes_port(const struct vmr_backend_vp *vp, uint16_t port);
/* Takes in INIT, SIPI and NMI, after ATTENTION_INTERRUPT. */
void chip_take(struct vmr_backend_vp *vp);
/* The vector to deliver now, which becomes one in service; -1: none. */
int chip_accept(struct vmr_backend_vp *vp);
