#!/usr/bin/env bash
# The logic of script/test-gpu, on the imitated driver: instead of compiling, an imitated rnet hands
# out a linear classifier for either target. What it prepares is tested from a copy that stands by
# itself; each kind of failure is found and named; without a GPU everything is skipped by name.
# shellcheck source=tests/cuda/common.sh
. "$(dirname "$0")/common.sh"
gpu=$(realpath -m "${LINEAR_CUDA:-$PWD/tests/cuda/linear}")
cpu=$(realpath -m "${LINEAR:-$PWD/tests/train/linear}")
need "$gpu" "$cpu" "$PWD"/tests/gpu/{compare,record_kernels,replay_kernels}
if grep -q __asan_init "$gpu"; then
    echo 'skipped: the imitated driver is loaded by many programs here, without a sanitizer'
    exit 77
fi
export RNET_BUILD_DIR=${RNET_BUILD_DIR:-$PWD}
enter_scratch
mkdir cifar10
imitate fake_driver.c lib/libcuda.so.1

complain()
{
    printf '%s  FAIL\n' "$1"
    tail -n 30 out
    failures=$((failures + 1))
}

# Pictures that a linear classifier can tell apart.
LC_ALL=C awk 'BEGIN {
    srand(5)
    for (i = 0; i < 260; i++) {
        file = "cifar10/" (i < 170 ? "data_batch_1.bin" : "test_batch.bin")
        class = 1 + i % 9
        printf "%c", class >file
        for (p = 0; p < 3072; p++)
            printf "%c", (int(p / 300) == class ? 150 : 20) + int(rand() * 90) >file
    }
}'
cat >rnet <<END
#!/usr/bin/env bash
case " \$* " in *'depth=164 '*' --precision bf16 '*) echo 'rnet: no bf16 here' >&2; exit 1 ;; esac
from=$cpu
case " \$* " in *' --target cuda '*) from=$gpu ;; esac
cp "\$from" "\${@: -1}"
END
chmod +x rnet
env RNET="$scratch/rnet" RNET_TEST_DATA="$scratch" RNET_CUDA=/nonexistent "$source_dir/script/test-gpu" --prepare prepared \
    --quick >out 2>&1 || complain 'preparing'
mv prepared moved

# with_gpu [NAME=VALUE...] -- [ARGUMENT...]: the prepared tests
with_gpu()
{
    local settings=()
    while [ "$1" != -- ]; do
        settings+=("$1")
        shift
    done
    shift
    env LD_LIBRARY_PATH="$scratch/lib" "${settings[@]}" moved/test-gpu "$@" >out 2>&1
}

# told PATTERN: the report has such a line
told()
{
    grep -qE "$1" moved/report.txt || complain "the report does not say: $1"
}

[ -s moved/kernels ] || ! grep -q kernels moved/cases || grep -q '^kernels ' moved/left-out ||
    complain 'kernels are neither recorded nor left out'
rm -f moved/kernels moved/kernels-bf16
with_gpu -- || complain 'all tests'
told '^cuda:0, Imitated GPU 0'
told '^ok    iresnet20, generated: logits.*: 0 \(bound'
told '^ok    iresnet20, generated: losses of 5 steps: 0 '
told '^ok    iresnet20, generated: update of 5 steps: 0 '
told '^ok    iresnet20, generated: the same bytes twice'
told '^ok    iresnet20, generated: the processor goes on'
told '^ok    iresnet20, bf16-generated: logits.*: 0 \(bound 5e-2\)'
told '^ok    iresnet20, bf16-generated: update of 5 steps: 0 '
told '^ok    iresnet20-cuda: CIFAR-10, 15 epochs, validation top-1: [0-9.]+ \(bound 55\)'
told '^ok    iresnet164-cuda: training steps: [0-9]+ images/s'
told '^skip  iresnet164-cuda-bf16: training steps: rnet: no bf16 here'
told '^ok    cifar_iresnet: one training step'
told '^[0-9]+ passed, 0 failed, [0-9]+ skipped$'
cmp -s out moved/report.txt || complain 'the report is not what is printed'

# Kernels: what NVRTC makes does not run here, so a case for the imitated driver stands in for them.
"$RNET_BUILD_DIR/tests/gpu/record_kernels" moved/kernels imitated >out 2>&1 || complain 'a case'
with_gpu -- --only kernels || complain 'kernels'
told '^ok    kernels against plain loops: 1 kernels on Imitated GPU 0, 0 wrong'
with_gpu FAKE_CUDA_SKIP=imitated -- --only kernels && complain 'a wrong kernel passes'
told '^FAIL  kernels against plain loops: imitated: parameter 1 element 0 is -12352, not 1'
head -c 3000 moved/kernels >cut && mv cut moved/kernels
with_gpu -- --only kernels && complain 'a file that is cut off passes'
told '^FAIL  kernels against plain loops: the file is cut off'

with_gpu -- --only step || complain 'one kind alone'
told '^1 passed, 0 failed, 0 skipped'

# What a GPU may do wrong.
with_gpu FAKE_CUDA_FAULT=update -- --only parity && complain 'a kernel that fails passes'
told '^FAIL  iresnet20, generated: losses of 5 steps: .*the kernel update, step 0'
with_gpu FAKE_CUDA_SKIP=vectors -- --only parity && complain 'a kernel that does nothing passes'
told '^FAIL  iresnet20, generated: update of 5 steps'
told '^ok    iresnet20, generated: logits'
env LD_LIBRARY_PATH="$scratch/lib" FAKE_CUDA_DEVICES=0 moved/test-gpu >out 2>&1
[ $? -eq 77 ] || complain 'without a GPU it is not skipped'
told '^no GPU that can be used: no NVIDIA GPU was found'
told '^skip  parity iresnet20'
[ "$failures" -eq 0 ]
