/* Counts the AArch64 instructions that a guest executes, by class: a plugin for QEMU (API version 1).
 *
 *   cc -O2 -shared -fPIC -o libicount.so icount.c
 *   qemu-aarch64 -plugin libicount.so,out=counts.jsonl program
 *
 * A guest marks a place with os.getpgid(-(7700000 + n)), which fails and does nothing else. Each
 * mark writes one line of JSON: n, and what was executed since the mark before. Counters are plain
 * additions: exact with one thread, approximate with several.
 *
 * The prototypes stand here because Debian ships no qemu-plugin.h.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
#define GETPGID 155 /* system call number on AArch64 */
#define MARK 7700000

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };
typedef void (*on_translate)(plugin_id, struct qemu_plugin_tb *);
typedef void (*on_syscall)(plugin_id, unsigned int, int64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                           uint64_t, uint64_t, uint64_t, uint64_t);
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, on_translate);
void qemu_plugin_register_vcpu_syscall_cb(plugin_id, on_syscall);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *, enum qemu_plugin_op, void *,
                                              uint64_t);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *);

EXPORT int qemu_plugin_version = 1;

enum kind { DOT, MATRIX, WIDENING, FLOAT_FMA, SIMD, MEMORY, BRANCH, INTEGER, KINDS };
static const char *const names[KINDS] = {
    "dot_product", /* SDOT, UDOT: 16 products of 8 bits */
    "matrix",      /* SMMLA, UMMLA, USMMLA: 32 */
    "widening",    /* SMULL, SMLAL and alike: 8 products of 8 bits, or 4 of 16 */
    "float_fma",   /* FMLA: 4 products of 32 bits */
    "simd",        /* every other vector or floating-point instruction */
    "memory", "branch", "integer",
};
static uint64_t counts[KINDS];
static FILE *out;

/* Reads the top-level table of the A64 encoding, and within SIMD the few rows that multiply. */
static enum kind classify(uint32_t word)
{
    uint32_t group = word >> 25 & 0xf;
    uint32_t opcode = word >> 12 & 0xf;
    if ((group & 0x5) == 0x4)
        return MEMORY;
    if ((group & 0xe) == 0xa)
        return BRANCH;
    if ((group & 0x7) != 0x7)
        return INTEGER;
    if ((word & 0x9f20fc00) == 0x0e009400 || (word & 0x9f00f400) == 0x0f00e000)
        return DOT; /* by vector, by element */
    if ((word & 0xdfe0f400) == 0x4e80a400)
        return MATRIX;
    if ((word & 0xbfa0fc00) == 0x0e20cc00 || (word & 0xbf80f400) == 0x0f801000)
        return FLOAT_FMA; /* by vector, by element */
    if ((word & 0x9f200c00) == 0x0e200000 && (opcode == 0x8 || opcode == 0xa || opcode == 0xc))
        return WIDENING; /* by vector */
    if ((word & 0x9f000400) == 0x0f000000 && (opcode == 0x2 || opcode == 0x6 || opcode == 0xa))
        return WIDENING; /* by element */
    return SIMD;
}

static void translate(plugin_id id, struct qemu_plugin_tb *block)
{
    uint64_t held[KINDS] = {0};
    size_t size = qemu_plugin_tb_n_insns(block);
    (void)id;
    for (size_t i = 0; i < size; i++) {
        uint32_t word;
        memcpy(&word, qemu_plugin_insn_data(qemu_plugin_tb_get_insn(block, i)), sizeof word);
        held[classify(word)]++;
    }
    for (int k = 0; k < KINDS; k++)
        if (held[k])
            qemu_plugin_register_vcpu_tb_exec_inline(block, QEMU_PLUGIN_INLINE_ADD_U64, &counts[k],
                                                     held[k]);
}

static void syscall(plugin_id id, unsigned int cpu, int64_t number, uint64_t pid, uint64_t a2,
                    uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8)
{
    int64_t mark = -(int64_t)(int32_t)pid - MARK;
    (void)id, (void)cpu, (void)a2, (void)a3, (void)a4, (void)a5, (void)a6, (void)a7, (void)a8;
    if (number != GETPGID || mark < 0 || mark > 99999)
        return;
    fprintf(out, "{\"mark\": %d", (int)mark);
    for (int k = 0; k < KINDS; k++)
        fprintf(out, ", \"%s\": %llu", names[k], (unsigned long long)counts[k]);
    fprintf(out, "}\n");
    fflush(out);
    memset(counts, 0, sizeof counts);
}

EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
    (void)info;
    if (argc != 1 || strncmp(argv[0], "out=", 4)) {
        fprintf(stderr, "icount: takes one argument, out=PATH\n");
        return 1;
    }
    out = fopen(argv[0] + 4, "w");
    if (!out) {
        perror(argv[0] + 4);
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
    qemu_plugin_register_vcpu_syscall_cb(id, syscall);
    return 0;
}
