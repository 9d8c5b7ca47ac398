"""The one shader pair of the renderer (GLSL 3.30)."""

VERTEX = """
#version 330
uniform vec4 lens;       // fx, fy, cx, cy in pixels
uniform vec2 size;       // picture in pixels
uniform vec2 clip;       // near, far in metres
in vec3 position;        // camera frame: x right, y down, z forward, metres
in vec3 normal;
in vec3 color;
in vec3 rest;            // rest-pose position, for patterns that stick to the surface
out vec3 v_normal;
out vec3 v_color;
out vec3 v_rest;
out vec3 v_position;
void main() {
    float z = position.z;
    vec2 pixel = lens.xy * position.xy + lens.zw * z;
    vec2 ndc = 2.0 * pixel / size - vec2(z);
    float depth = (clip.y + clip.x) / (clip.y - clip.x) * z - 2.0 * clip.y * clip.x / (clip.y - clip.x);
    gl_Position = vec4(ndc.x, ndc.y, depth, z);   // row 0 of the read-back is the picture's top
    v_normal = normal; v_color = color; v_rest = rest; v_position = position;
}
"""

FRAGMENT = """
#version 330
uniform vec3 key_direction;   // towards the light, camera frame
uniform vec3 key_color;
uniform vec3 fill_direction;
uniform vec3 fill_color;
uniform vec3 ambient;
uniform float gloss;          // 0 matt .. 1 shiny
uniform vec4 pattern;         // kind, frequency per metre, strength, seed
in vec3 v_normal;
in vec3 v_color;
in vec3 v_rest;
in vec3 v_position;
out vec4 pixel;
float hash(vec3 p) { p = fract(p * 0.3183099 + 0.1); p *= 17.0; return fract(p.x * p.y * p.z * (p.x + p.y + p.z)); }
float noise(vec3 x) {
    vec3 i = floor(x), f = fract(x);
    f = f * f * (3.0 - 2.0 * f);
    float a = mix(hash(i), hash(i + vec3(1,0,0)), f.x), b = mix(hash(i + vec3(0,1,0)), hash(i + vec3(1,1,0)), f.x);
    i.z += 1.0;
    float c = mix(hash(i), hash(i + vec3(1,0,0)), f.x), d = mix(hash(i + vec3(0,1,0)), hash(i + vec3(1,1,0)), f.x);
    return mix(mix(a, b, f.y), mix(c, d, f.y), f.z);
}
float weave(vec3 p) {
    if (pattern.x < 0.5) return 0.0;
    if (pattern.x < 1.5) return step(0.5, fract(p.y)) * 2.0 - 1.0;                    // stripes
    if (pattern.x < 2.5) return (step(0.5, fract(p.x)) + step(0.5, fract(p.y))) - 1.0;  // checks
    return (noise(p) + 0.5 * noise(2.3 * p) - 0.75) * 2.0;                             // blotches
}
void main() {
    vec3 n = normalize(v_normal);
    vec3 view = normalize(-v_position);
    if (dot(n, view) < 0.0) n = -n;
    vec3 base = v_color * (1.0 + pattern.z * weave(v_rest * pattern.y + pattern.w));
    vec3 light = ambient + key_color * max(dot(n, key_direction), 0.0) + fill_color * max(dot(n, fill_direction), 0.0);
    vec3 shine = key_color * gloss * pow(max(dot(n, normalize(key_direction + view)), 0.0), 24.0);
    pixel = vec4(clamp(base * light + shine, 0.0, 1.0), 1.0);
}
"""
