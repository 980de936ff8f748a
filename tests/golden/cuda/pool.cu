/* schedule cuda_vector, images_per_task 0, tasks_per_group 1 */
extern "C" __global__ void __launch_bounds__(64) vector_1x1x16_275a9ed1(
    const float *__restrict__ p0, /* x0 */
    const float *__restrict__ p1, /* x1 */
    float *__restrict__ p2, /* out0 */
    long long images, long long tasks)
{
    const long long task = blockIdx.x;
    if (task >= tasks)
        return;
    const int v0 = task;
    const int v3 = images;
    const int v5 = v0 * 64;
    {
        const int v6 = threadIdx.x;
        const int v7 = v5 + v6;
        const bool v9 = v7 < 16;
        if (v9) {
            const float v12 = p0[v7];
            const double v13 = (double)v12;
            const double v15 = v13 + 1.0000000000000001e-05;
            const double v16 = sqrt(v15);
            const double v18 = 1.0 / v16;
            const float v19 = p1[v7];
            const double v20 = (double)v19;
            const double v21 = v20 * v18;
            const float v22 = (float)v21;
            p2[v7] = v22;
        }
    }
}

/* schedule cuda_pointwise, images_per_task 4, tasks_per_group 1 */
extern "C" __global__ void __launch_bounds__(256) pointwise_4x4x16_4af4a2cc(
    const float *__restrict__ p0, /* x0 */
    const float *__restrict__ p1, /* x1 */
    const float *__restrict__ p2, /* x2 */
    const float *__restrict__ p3, /* x3 */
    float *__restrict__ p4, /* out0 */
    long long images, long long tasks)
{
    const long long task = blockIdx.x;
    if (task >= tasks)
        return;
    const int v0 = task;
    const int v3 = v0 * 4;
    const int v4 = images;
    const int v6 = v3 + 4;
    const int v7 = v6 < v4 ? v6 : v4;
    {
        const int v9 = threadIdx.x;
        const int v10 = (unsigned)v9 / (unsigned)64;
        const int v11 = v3 + v10;
        const int v12 = (unsigned)v9 % (unsigned)64;
        const bool v13 = v11 < v7;
        if (v13) {
            const int v17 = (unsigned)v12 / (unsigned)4;
            const int v19 = (unsigned)v17 % (unsigned)4;
            const int v20 = (unsigned)v17 / (unsigned)4;
            const int v24 = (unsigned)v12 % (unsigned)4;
            const int v26 = v24 * 4;
            const int v28 = v11 * 16;
            const int v29 = v28 + v17;
            const int v31 = v29 * 16;
            const int v32 = v31 + v26;
            const int v34 = v11 * 16;
            const int v35 = v34 + v17;
            const int v37 = v35 * 16;
            const int v38 = v37 + v26;
            const float4 t39_0 = *(const float4 *)&p0[v38];
            const float v39_0 = t39_0.x;
            const float v39_1 = t39_0.y;
            const float v39_2 = t39_0.z;
            const float v39_3 = t39_0.w;
            const float4 t40_0 = *(const float4 *)&p1[v26];
            const float v40_0 = t40_0.x;
            const float v40_1 = t40_0.y;
            const float v40_2 = t40_0.z;
            const float v40_3 = t40_0.w;
            const float v41_0 = v39_0 - v40_0;
            const float v41_1 = v39_1 - v40_1;
            const float v41_2 = v39_2 - v40_2;
            const float v41_3 = v39_3 - v40_3;
            const float4 t42_0 = *(const float4 *)&p2[v26];
            const float v42_0 = t42_0.x;
            const float v42_1 = t42_0.y;
            const float v42_2 = t42_0.z;
            const float v42_3 = t42_0.w;
            const float4 t43_0 = *(const float4 *)&p3[v26];
            const float v43_0 = t43_0.x;
            const float v43_1 = t43_0.y;
            const float v43_2 = t43_0.z;
            const float v43_3 = t43_0.w;
            const float v44_0 = v41_0 * v42_0;
            const float v44_1 = v41_1 * v42_1;
            const float v44_2 = v41_2 * v42_2;
            const float v44_3 = v41_3 * v42_3;
            const float v45_0 = v44_0 + v43_0;
            const float v45_1 = v44_1 + v43_1;
            const float v45_2 = v44_2 + v43_2;
            const float v45_3 = v44_3 + v43_3;
            const float v47_0 = v45_0 > 0.0f ? v45_0 : 0.0f;
            const float v47_1 = v45_1 > 0.0f ? v45_1 : 0.0f;
            const float v47_2 = v45_2 > 0.0f ? v45_2 : 0.0f;
            const float v47_3 = v45_3 > 0.0f ? v45_3 : 0.0f;
            *(float4 *)&p4[v32] = make_float4(v47_0, v47_1, v47_2, v47_3);
        }
    }
}

/* schedule cuda_pool, images_per_task 16, tasks_per_group 1 */
extern "C" __global__ void __launch_bounds__(256) max_pool_k2s2_4x4x16_3548da1b(
    const float *__restrict__ p0, /* x0 */
    float *__restrict__ p1, /* out0 */
    long long images, long long tasks)
{
    const long long task = blockIdx.x;
    if (task >= tasks)
        return;
    const int v0 = task;
    const int v3 = v0 * 16;
    const int v4 = images;
    const int v6 = v3 + 16;
    const int v7 = v6 < v4 ? v6 : v4;
    {
        const int v9 = threadIdx.x;
        const int v10 = (unsigned)v9 / (unsigned)16;
        const int v11 = v3 + v10;
        const int v12 = (unsigned)v9 % (unsigned)16;
        const bool v13 = v11 < v7;
        if (v13) {
            const int v17 = (unsigned)v12 / (unsigned)4;
            const int v19 = (unsigned)v17 % (unsigned)2;
            const int v20 = (unsigned)v17 / (unsigned)2;
            const int v24 = (unsigned)v12 % (unsigned)4;
            const int v26 = v24 * 4;
            float v27[4];
            v27[0] = __int_as_float(0xff800000);
            v27[0 + 1] = __int_as_float(0xff800000);
            v27[0 + 2] = __int_as_float(0xff800000);
            v27[0 + 3] = __int_as_float(0xff800000);
            for (int v34 = 0; v34 < 2; v34 += 1) {
                for (int v37 = 0; v37 < 2; v37 += 1) {
                    const int v41 = v34 * 2;
                    const int v42 = v41 + v37;
                    const int v45 = v20 * 2;
                    const int v46 = v45 + v34;
                    const int v48 = v19 * 2;
                    const int v49 = v48 + v37;
                    const int v53 = v46 * 4;
                    const int v54 = v53 + v49;
                    const int v56 = v11 * 16;
                    const int v57 = v56 + v54;
                    const int v59 = v57 * 16;
                    const int v60 = v59 + v26;
                    const float4 t61_0 = *(const float4 *)&p0[v60];
                    const float v61_0 = t61_0.x;
                    const float v61_1 = t61_0.y;
                    const float v61_2 = t61_0.z;
                    const float v61_3 = t61_0.w;
                    const float v63_0 = v27[0];
                    const float v63_1 = v27[0 + 1];
                    const float v63_2 = v27[0 + 2];
                    const float v63_3 = v27[0 + 3];
                    const float v64_0 = v61_0 > v63_0 ? v61_0 : v63_0;
                    const float v64_1 = v61_1 > v63_1 ? v61_1 : v63_1;
                    const float v64_2 = v61_2 > v63_2 ? v61_2 : v63_2;
                    const float v64_3 = v61_3 > v63_3 ? v61_3 : v63_3;
                    v27[0] = v64_0;
                    v27[0 + 1] = v64_1;
                    v27[0 + 2] = v64_2;
                    v27[0 + 3] = v64_3;
                }
            }
            const float v70_0 = v27[0];
            const float v70_1 = v27[0 + 1];
            const float v70_2 = v27[0 + 2];
            const float v70_3 = v27[0 + 3];
            const int v72 = v11 * 4;
            const int v73 = v72 + v17;
            const int v75 = v73 * 16;
            const int v76 = v75 + v26;
            *(float4 *)&p1[v76] = make_float4(v70_0, v70_1, v70_2, v70_3);
        }
    }
}

/* schedule cuda_pool, images_per_task 64, tasks_per_group 1 */
extern "C" __global__ void __launch_bounds__(256) average_pool_k2s1_2x2x16_931964e7(
    const float *__restrict__ p0, /* x0 */
    float *__restrict__ p1, /* out0 */
    long long images, long long tasks)
{
    const long long task = blockIdx.x;
    if (task >= tasks)
        return;
    const int v0 = task;
    const int v3 = v0 * 64;
    const int v4 = images;
    const int v6 = v3 + 64;
    const int v7 = v6 < v4 ? v6 : v4;
    {
        const int v9 = threadIdx.x;
        const int v10 = (unsigned)v9 / (unsigned)4;
        const int v11 = v3 + v10;
        const int v12 = (unsigned)v9 % (unsigned)4;
        const bool v13 = v11 < v7;
        if (v13) {
            const int v17 = (unsigned)v12 / (unsigned)4;
            const int v19 = v12 * 4;
            float v20[4];
            v20[0] = 0.0f;
            v20[0 + 1] = 0.0f;
            v20[0 + 2] = 0.0f;
            v20[0 + 3] = 0.0f;
            for (int v27 = 0; v27 < 2; v27 += 1) {
                for (int v30 = 0; v30 < 2; v30 += 1) {
                    const int v34 = v27 * 2;
                    const int v35 = v34 + v30;
                    const int v40 = v27 * 2;
                    const int v41 = v40 + v30;
                    const int v43 = v11 * 4;
                    const int v44 = v43 + v41;
                    const int v46 = v44 * 16;
                    const int v47 = v46 + v19;
                    const float4 t48_0 = *(const float4 *)&p0[v47];
                    const float v48_0 = t48_0.x;
                    const float v48_1 = t48_0.y;
                    const float v48_2 = t48_0.z;
                    const float v48_3 = t48_0.w;
                    const float v50_0 = v20[0];
                    const float v50_1 = v20[0 + 1];
                    const float v50_2 = v20[0 + 2];
                    const float v50_3 = v20[0 + 3];
                    const float v51_0 = v48_0 + v50_0;
                    const float v51_1 = v48_1 + v50_1;
                    const float v51_2 = v48_2 + v50_2;
                    const float v51_3 = v48_3 + v50_3;
                    v20[0] = v51_0;
                    v20[0 + 1] = v51_1;
                    v20[0 + 2] = v51_2;
                    v20[0 + 3] = v51_3;
                }
            }
            const float v58_0 = v20[0];
            const float v58_1 = v20[0 + 1];
            const float v58_2 = v20[0 + 2];
            const float v58_3 = v20[0 + 3];
            const float v59_0 = v58_0 / 4.0f;
            const float v59_1 = v58_1 / 4.0f;
            const float v59_2 = v58_2 / 4.0f;
            const float v59_3 = v58_3 / 4.0f;
            const int v61 = v11 * 16;
            const int v62 = v61 + v19;
            *(float4 *)&p1[v62] = make_float4(v59_0, v59_1, v59_2, v59_3);
        }
    }
}

/* schedule cuda_loss, images_per_task 1, tasks_per_group 1 */
extern "C" __global__ void __launch_bounds__(32) softmax_loss_1x1x16_2ad07e82(
    const float *__restrict__ p0, /* x0 */
    const int *__restrict__ p1, /* labels */
    float *__restrict__ p2, /* out0 */
    float *__restrict__ p3, /* out1 */
    long long images, long long tasks)
{
    const long long task = blockIdx.x;
    if (task >= tasks)
        return;
    extern __shared__ float4 shared_vectors[];
    char *const shared_memory = (char *)shared_vectors;
    const int v0 = task;
    const int v2 = images;
    const int v4 = v0 + 1;
    const int v5 = v4 < v2 ? v4 : v2;
    float *const v6 = (float *)(shared_memory + 0);
    float *const v7 = (float *)(shared_memory + 128);
    float *const v8 = (float *)(shared_memory + 256);
    float *const v9 = (float *)(shared_memory + 384);
    {
        const int v10 = threadIdx.x;
        float v11[1];
        const long long v12 = p1[v0];
        const int v15 = v0 * 16;
        const long long v16 = (long long)v15 + v12;
        const float v17 = p0[v16];
        v11[0] = v17;
        for (int v21 = v10; v21 < 16; v21 += 32) {
            const int v24 = v0 * 16;
            const int v25 = v24 + v21;
            const float v26 = p0[v25];
            const float v28 = v11[0];
            const float v29 = v26 > v28 ? v26 : v28;
            v11[0] = v29;
        }
        const float v34 = v11[0];
        v6[v10] = v34;
    }
    __syncthreads();
    {
        const int v37 = threadIdx.x;
        const bool v39 = v37 < 16;
        if (v39) {
            const int v42 = v37 + 16;
            const float v43 = v6[v37];
            const float v44 = v6[v42];
            const float v45 = v43 > v44 ? v43 : v44;
            v6[v37] = v45;
        }
    }
    __syncthreads();
    {
        const int v49 = threadIdx.x;
        const bool v51 = v49 < 8;
        if (v51) {
            const int v54 = v49 + 8;
            const float v55 = v6[v49];
            const float v56 = v6[v54];
            const float v57 = v55 > v56 ? v55 : v56;
            v6[v49] = v57;
        }
    }
    __syncthreads();
    {
        const int v61 = threadIdx.x;
        const bool v63 = v61 < 4;
        if (v63) {
            const int v66 = v61 + 4;
            const float v67 = v6[v61];
            const float v68 = v6[v66];
            const float v69 = v67 > v68 ? v67 : v68;
            v6[v61] = v69;
        }
    }
    __syncthreads();
    {
        const int v73 = threadIdx.x;
        const bool v75 = v73 < 2;
        if (v75) {
            const int v78 = v73 + 2;
            const float v79 = v6[v73];
            const float v80 = v6[v78];
            const float v81 = v79 > v80 ? v79 : v80;
            v6[v73] = v81;
        }
    }
    __syncthreads();
    {
        const int v85 = threadIdx.x;
        const bool v87 = v85 < 1;
        if (v87) {
            const int v90 = v85 + 1;
            const float v91 = v6[v85];
            const float v92 = v6[v90];
            const float v93 = v91 > v92 ? v91 : v92;
            v6[v85] = v93;
        }
    }
    __syncthreads();
    {
        const int v97 = threadIdx.x;
        const long long v98 = p1[v0];
        const int v101 = v0 * 16;
        const long long v102 = (long long)v101 + v98;
        const float v103 = p0[v102];
        float v104[1];
        v104[0] = 0.0f;
        float v108[1];
        v108[0] = 0.0f;
        float v112[1];
        v112[0] = 0.0f;
        for (int v117 = v97; v117 < 16; v117 += 32) {
            const int v120 = v0 * 16;
            const int v121 = v120 + v117;
            const float v122 = p0[v121];
            const float v124 = v6[0];
            const float v125 = v122 - v124;
            const float v126 = expf(v125);
            const float v128 = v104[0];
            const float v129 = v128 + v126;
            v104[0] = v129;
            const long long v132 = p1[v0];
            const bool v133 = v117 < v132;
            const bool v134 = v122 == v103;
            const bool v135 = v134 && v133;
            const bool v136 = v103 < v122;
            const bool v137 = v136 || v135;
            const float v140 = v137 ? 1.0f : 0.0f;
            const float v142 = v108[0];
            const float v143 = v142 + v140;
            v108[0] = v143;
            const float v147 = v112[0];
            const float v148 = v147 + v125;
            v112[0] = v148;
        }
        const float v153 = v104[0];
        v7[v97] = v153;
        const float v156 = v108[0];
        v8[v97] = v156;
        const float v159 = v112[0];
        v9[v97] = v159;
    }
    __syncthreads();
    {
        const int v162 = threadIdx.x;
        const bool v164 = v162 < 16;
        if (v164) {
            const int v167 = v162 + 16;
            const float v168 = v7[v162];
            const float v169 = v7[v167];
            const float v170 = v168 + v169;
            v7[v162] = v170;
        }
    }
    __syncthreads();
    {
        const int v174 = threadIdx.x;
        const bool v176 = v174 < 8;
        if (v176) {
            const int v179 = v174 + 8;
            const float v180 = v7[v174];
            const float v181 = v7[v179];
            const float v182 = v180 + v181;
            v7[v174] = v182;
        }
    }
    __syncthreads();
    {
        const int v186 = threadIdx.x;
        const bool v188 = v186 < 4;
        if (v188) {
            const int v191 = v186 + 4;
            const float v192 = v7[v186];
            const float v193 = v7[v191];
            const float v194 = v192 + v193;
            v7[v186] = v194;
        }
    }
    __syncthreads();
    {
        const int v198 = threadIdx.x;
        const bool v200 = v198 < 2;
        if (v200) {
            const int v203 = v198 + 2;
            const float v204 = v7[v198];
            const float v205 = v7[v203];
            const float v206 = v204 + v205;
            v7[v198] = v206;
        }
    }
    __syncthreads();
    {
        const int v210 = threadIdx.x;
        const bool v212 = v210 < 1;
        if (v212) {
            const int v215 = v210 + 1;
            const float v216 = v7[v210];
            const float v217 = v7[v215];
            const float v218 = v216 + v217;
            v7[v210] = v218;
        }
    }
    __syncthreads();
    {
        const int v222 = threadIdx.x;
        const bool v224 = v222 < 16;
        if (v224) {
            const int v227 = v222 + 16;
            const float v228 = v8[v222];
            const float v229 = v8[v227];
            const float v230 = v228 + v229;
            v8[v222] = v230;
        }
    }
    __syncthreads();
    {
        const int v234 = threadIdx.x;
        const bool v236 = v234 < 8;
        if (v236) {
            const int v239 = v234 + 8;
            const float v240 = v8[v234];
            const float v241 = v8[v239];
            const float v242 = v240 + v241;
            v8[v234] = v242;
        }
    }
    __syncthreads();
    {
        const int v246 = threadIdx.x;
        const bool v248 = v246 < 4;
        if (v248) {
            const int v251 = v246 + 4;
            const float v252 = v8[v246];
            const float v253 = v8[v251];
            const float v254 = v252 + v253;
            v8[v246] = v254;
        }
    }
    __syncthreads();
    {
        const int v258 = threadIdx.x;
        const bool v260 = v258 < 2;
        if (v260) {
            const int v263 = v258 + 2;
            const float v264 = v8[v258];
            const float v265 = v8[v263];
            const float v266 = v264 + v265;
            v8[v258] = v266;
        }
    }
    __syncthreads();
    {
        const int v270 = threadIdx.x;
        const bool v272 = v270 < 1;
        if (v272) {
            const int v275 = v270 + 1;
            const float v276 = v8[v270];
            const float v277 = v8[v275];
            const float v278 = v276 + v277;
            v8[v270] = v278;
        }
    }
    __syncthreads();
    {
        const int v282 = threadIdx.x;
        const bool v284 = v282 < 16;
        if (v284) {
            const int v287 = v282 + 16;
            const float v288 = v9[v282];
            const float v289 = v9[v287];
            const float v290 = v288 + v289;
            v9[v282] = v290;
        }
    }
    __syncthreads();
    {
        const int v294 = threadIdx.x;
        const bool v296 = v294 < 8;
        if (v296) {
            const int v299 = v294 + 8;
            const float v300 = v9[v294];
            const float v301 = v9[v299];
            const float v302 = v300 + v301;
            v9[v294] = v302;
        }
    }
    __syncthreads();
    {
        const int v306 = threadIdx.x;
        const bool v308 = v306 < 4;
        if (v308) {
            const int v311 = v306 + 4;
            const float v312 = v9[v306];
            const float v313 = v9[v311];
            const float v314 = v312 + v313;
            v9[v306] = v314;
        }
    }
    __syncthreads();
    {
        const int v318 = threadIdx.x;
        const bool v320 = v318 < 2;
        if (v320) {
            const int v323 = v318 + 2;
            const float v324 = v9[v318];
            const float v325 = v9[v323];
            const float v326 = v324 + v325;
            v9[v318] = v326;
        }
    }
    __syncthreads();
    {
        const int v330 = threadIdx.x;
        const bool v332 = v330 < 1;
        if (v332) {
            const int v335 = v330 + 1;
            const float v336 = v9[v330];
            const float v337 = v9[v335];
            const float v338 = v336 + v337;
            v9[v330] = v338;
        }
    }
    __syncthreads();
    {
        const int v342 = threadIdx.x;
        const bool v344 = v342 == 0;
        if (v344) {
            const float v347 = v7[0];
            const float v348 = logf(v347);
            const long long v349 = p1[v0];
            const int v352 = v0 * 16;
            const long long v353 = (long long)v352 + v349;
            const float v354 = p0[v353];
            const float v356 = v6[0];
            const float v357 = v354 - v356;
            const float v358 = -v357;
            const float v359 = v348 + v358;
            p2[v0] = v359;
            const float v362 = v8[0];
            p3[v0] = v362;
        }
    }
}
