#include "vmrig/clock.h"
struct vmr_state_type;
#include "vmrig/state.h"
const struct vmr_state_type *vmr_device_state_type_find(const char *name);
const struct vmr_state_type *vmr_device_state_type_find(const char *name) { (void)name; return NULL; }
uint64_t vmr_vm_clock_now(struct vmr_vm_clock *clock) { (void)clock; return 0; }
enum vmr_status vmr_vm_clock_set(struct vmr_vm_clock *clock, uint64_t ns) { (void)clock; (void)ns; return VMR_OK; }
