#!/usr/bin/env bash
# Convolutions through cuDNN's graph API, on imitations of it and of the driver: all passes of
# several shapes give what the kernels of the program give; of the engines proposed the right one is
# taken for each precision; where the library is missing, old or refuses, the kernels run.
# shellcheck source=tests/cuda/common.sh
. "$(dirname "$0")/common.sh"
program=$(realpath -m "${CONVOLUTIONS:-$PWD/tests/cuda/convolutions}")
need "$program"
enter_scratch
imitate fake_driver.c driver/libcuda.so.1 "$program"
imitate fake_cudnn.c cudnn/libcudnn.so.9 "$program"

# with_cudnn [NAME=VALUE...] -- ARGUMENT...
with_cudnn()
{
    local settings=()
    while [ "$1" != -- ]; do
        settings+=("$1")
        shift
    done
    shift
    rm -f report library
    env LD_LIBRARY_PATH="$scratch/driver:$scratch/cudnn" FAKE_CUDA_REPORT=report \
        FAKE_CUDNN_REPORT=library "${settings[@]}" "$program" "$@" >out 2>log
}

# same WHAT: the last run left what the kernels leave, and released everything
same()
{
    cmp -s expected out || complain "$1: other numbers"
    [ "$(count_of report leaks)" = 0 ] || complain "$1: $(count_of report leaks) leaks"
    [ ! -e library ] || [ "$(count_of library leaks)" = 0 ] ||
        complain "$1: $(count_of library leaks) descriptors leak"
}

env LD_LIBRARY_PATH="$scratch/driver" "$program" >expected 2>log || complain 'without cuDNN'
[ "$(wc -w <expected)" -gt 10000 ] || complain 'the kernels leave too little'
grep -q 'nan' expected && complain 'the kernels read what they must not'
env LD_LIBRARY_PATH="$scratch/driver" ldd "$program" | grep -q cudnn && complain 'cuDNN is linked'

passes=21 # of 7 shapes; run for 5 images, 5 again (captured), 3, and 5 (replayed)
with_cudnn -- || complain 'with cuDNN'
same 'with cuDNN'
grep -q 'cuDNN 9.13.0' log || complain 'the name says nothing of cuDNN'
[ "$(count_of library engine2)" = $((3 * passes)) ] || complain 'TF32 takes another engine'
[ "$(count_of report library_calls)" = $((4 * passes)) ] || complain 'not all by cuDNN'
with_cudnn FAKE_CUDA_EAGER=1 -- || complain 'at once'
same 'at once'
with_cudnn -- fp32 || complain 'strict fp32'
same 'strict fp32'
[ "$(count_of library engine3)" = $((3 * passes)) ] || complain 'fp32 takes another engine'

# Three engines are left to time: each runs 1 + 3 times for either number of images. The imitated
# clock counts operations, so that all take as long, and the first stays.
with_cudnn -- tf32 tune || complain 'tuned'
same 'tuned'
[ "$(count_of library engine2)" = $((11 * passes)) ] || complain 'tuning, engine 2'
[ "$(count_of library engine4)" = $((8 * passes)) ] || complain 'tuning, engine 4'
[ "$(count_of library engine0)" = 0 ] || complain 'an engine that is not deterministic'
[ "$(count_of library engine5)" = 0 ] || complain 'an engine that wants 64 GiB'

for refused in 0 1 2 all; do
    with_cudnn FAKE_CUDNN_REFUSE=$refused -- || complain "cuDNN refuses $refused"
    same "cuDNN refuses $refused"
done
[ "$(count_of report library_calls)" = 0 ] || complain 'cuDNN refuses and computes'
with_cudnn FAKE_CUDNN_VERSION=8900 -- || complain 'an old cuDNN'
same 'an old cuDNN'
grep -q 'no cuDNN (it is older than version 9)' log || complain 'an old cuDNN is not noted'
with_cudnn RNET_NO_CUDNN=1 -- || complain 'RNET_NO_CUDNN'
same 'RNET_NO_CUDNN'
[ ! -e library ] || complain 'RNET_NO_CUDNN opens it'
with_cudnn FAKE_CUDA_MEMORY=200000 -- && complain 'too little memory'
grep -q 'for cuDNN), and 0.2 MiB' log || complain 'too little memory for cuDNN'
[ "$failures" -eq 0 ]
