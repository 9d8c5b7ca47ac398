"""The shaders of the 3-D view (GLSL 3.30).

Colours are blended and lit as their squares, which is near enough to linear light and costs one root per pixel.
"""

BACKGROUND_VERTEX = """
#version 330
out float v_height;       // 0 at the bottom, 1 at the top
void main() {
    vec2 corner = vec2((gl_VertexID << 1) & 2, gl_VertexID & 2);
    v_height = corner.y;
    gl_Position = vec4(2.0 * corner - 1.0, 1.0, 1.0);
}
"""

BACKGROUND_FRAGMENT = """
#version 330
uniform vec3 bottom;
uniform vec3 top;
in float v_height;
out vec4 pixel;
void main() {
    // Half a step of noise: a gradient of so few shades would show bands.
    float noise = fract(52.9829189 * fract(dot(gl_FragCoord.xy, vec2(0.06711056, 0.00583715)))) - 0.5;
    pixel = vec4(mix(bottom, top, v_height) + noise / 255.0, 1.0);
}
"""

FLOOR_VERTEX = """
#version 330
uniform mat4 clip_from_world;
uniform vec4 disc;        // x, z of its middle, radius, size of one square in metres
in vec2 corner;
out vec2 v_place;
out vec2 v_offset;
void main() {
    v_offset = corner;
    v_place = disc.xy + corner * disc.z;
    gl_Position = clip_from_world * vec4(v_place.x, 0.0, v_place.y, 1.0);
}
"""

FLOOR_FRAGMENT = """
#version 330
uniform vec4 disc;
uniform vec4 ground;      // rgb and how much it covers
uniform vec4 line;
uniform vec3 x_axis;
uniform vec3 z_axis;
in vec2 v_place;
in vec2 v_offset;
out vec4 pixel;
vec2 lines(vec2 place, vec2 step, float width) {
    vec2 away = abs(fract(place - 0.5) - 0.5) / step;
    // Where squares get smaller than pixels, lines melt into one shade instead of a pattern.
    return clamp(width - away, 0.0, 1.0) * (1.0 - smoothstep(0.15, 0.6, step));
}
void main() {
    float fade = 1.0 - smoothstep(0.15, 1.0, length(v_offset));
    if (fade <= 0.0) discard;
    vec2 place = v_place / disc.w;
    vec2 step = max(fwidth(place), 1e-6);
    vec2 major = lines(place, step, 1.1), minor = lines(place * 4.0, step * 4.0, 0.9);
    float cover = max(max(major.x, major.y), 0.32 * max(minor.x, minor.y)) * line.a;
    vec3 color = mix(ground.rgb, line.rgb, cover);
    vec2 axis = clamp(1.35 - abs(v_place) / (step * disc.w), 0.0, 1.0);
    color = mix(color, z_axis, axis.x * 0.75);
    color = mix(color, x_axis, axis.y * 0.75);
    pixel = vec4(color, fade * max(ground.a, max(cover, max(axis.x, axis.y) * 0.75)));
}
"""

SHADOW_VERTEX = """
#version 330
uniform mat4 clip_from_world;
in vec2 corner;
in vec4 blob;             // x, z, radius in metres, darkness
out vec2 v_offset;
out float v_darkness;
void main() {
    v_offset = corner;
    v_darkness = blob.w;
    vec2 place = blob.xy + corner * blob.z;
    gl_Position = clip_from_world * vec4(place.x, 0.0, place.y, 1.0);
}
"""

SHADOW_FRAGMENT = """
#version 330
uniform vec3 shade;
in vec2 v_offset;
in float v_darkness;
out vec4 pixel;
void main() {
    float inside = max(1.0 - dot(v_offset, v_offset), 0.0);
    // Shadows lie upon each other, each rounded to whole steps; noise instead of rings.
    vec2 place = gl_FragCoord.xy + v_darkness * 999.0;
    float noise = fract(52.9829189 * fract(dot(place, vec2(0.06711056, 0.00583715)))) - 0.5;
    pixel = vec4(shade, v_darkness * inside * inside + noise * 0.02 * min(inside * 4.0, 1.0));
}
"""

LIT = """
uniform vec3 eye;
uniform vec3 key_direction;   // towards the light, world frame
uniform vec3 fill_direction;
uniform vec3 key_color;
uniform vec3 fill_color;
uniform vec3 sky;
uniform vec3 bounce;
uniform vec3 rim_color;
vec3 lit(vec3 base, vec3 normal, vec3 place, float gloss) {
    vec3 n = normalize(normal), view = normalize(eye - place);
    float key = clamp((dot(n, key_direction) + 0.2) / 1.2, 0.0, 1.0);
    vec3 light = mix(bounce, sky, 0.5 + 0.5 * n.y) + key_color * key * key
               + fill_color * max(dot(n, fill_direction), 0.0);
    light *= mix(0.72, 1.0, smoothstep(-0.02, 0.4, place.y));   // less light reaches what is near the floor
    float edge = 1.0 - abs(dot(n, view));   // in folds smoothed normals point away from the eye: those are no edges
    float shine = pow(max(dot(n, normalize(key_direction + view)), 0.0), 28.0) * gloss;
    vec3 color = base * base * light + rim_color * (edge * edge * edge) + vec3(shine);
    return sqrt(min(color, vec3(1.0)));
}
"""

MESH_VERTEX = """
#version 330
uniform mat4 clip_from_world;
in vec3 position;         // world frame, metres
in vec3 normal;
in float openness;        // 1 where light comes from everywhere, less in folds
out vec3 v_position;
out vec3 v_normal;
out float v_openness;
void main() {
    v_position = position; v_normal = normal; v_openness = openness;
    gl_Position = clip_from_world * vec4(position, 1.0);
}
"""

MESH_FRAGMENT = (
    """
#version 330
uniform vec3 color;
uniform float gloss;
in vec3 v_position;
in vec3 v_normal;
in float v_openness;
out vec4 pixel;
"""
    + LIT
    + """
void main() { pixel = vec4(lit(color, v_normal, v_position, gloss) * v_openness, 1.0); }
"""
)

SOLID_VERTEX = """
#version 330
uniform mat4 clip_from_world;
uniform float in_front;   // 1 draws over everything drawn before, keeping the order among themselves
in vec3 corner;           // of a unit solid, its own y along the bone
in vec3 corner_normal;
in vec3 start;            // world frame, metres
in vec3 end;
in float radius;
in vec3 tint;
out vec3 v_position;
out vec3 v_normal;
out vec3 v_color;
void main() {
    vec3 along = end - start;
    float size = length(along);
    vec3 y = size > 1e-5 ? along / size : vec3(0.0, 1.0, 0.0);
    vec3 x = normalize(cross(y, abs(y.z) < 0.9 ? vec3(0.0, 0.0, 1.0) : vec3(1.0, 0.0, 0.0)));
    vec3 z = cross(x, y);
    vec3 scale = vec3(radius, size > 1e-5 ? size : radius, radius);
    v_position = start + mat3(x, y, z) * (corner * scale);
    v_normal = mat3(x, y, z) * (corner_normal / scale);
    v_color = tint;
    gl_Position = clip_from_world * vec4(v_position, 1.0);
    gl_Position.z = mix(gl_Position.z, 0.02 * gl_Position.z - 0.98 * gl_Position.w, in_front);
}
"""

SOLID_FRAGMENT = (
    """
#version 330
in vec3 v_position;
in vec3 v_normal;
in vec3 v_color;
out vec4 pixel;
"""
    + LIT
    + """
void main() { pixel = vec4(lit(v_color, v_normal, v_position, 0.15), 1.0); }
"""
)

LINE_VERTEX = """
#version 330
uniform mat4 clip_from_world;
uniform vec2 size;        // picture in pixels
uniform float width;      // of the line, pixels
in vec2 corner;           // 0 or 1 along the line, -1 or 1 across
in vec3 start;            // world frame, metres
in vec3 end;
in vec4 start_color;
in vec4 end_color;
out vec4 v_color;
out float v_across;
void main() {
    vec4 a = clip_from_world * vec4(start, 1.0), b = clip_from_world * vec4(end, 1.0);
    const float near = 0.01;
    if (a.w < near && b.w < near) { gl_Position = vec4(2.0, 2.0, 2.0, 1.0); return; }
    if (a.w < near) a = mix(a, b, (near - a.w) / (b.w - a.w));
    if (b.w < near) b = mix(b, a, (near - b.w) / (a.w - b.w));
    vec2 way = (b.xy / b.w - a.xy / a.w) * size;
    vec2 along = length(way) > 1e-4 ? normalize(way) : vec2(1.0, 0.0);
    float half_width = 0.5 * width + 1.0;
    vec4 here = mix(a, b, corner.x);
    vec2 pixels = vec2(-along.y, along.x) * corner.y * half_width;
    v_across = corner.y * half_width;
    v_color = mix(start_color, end_color, corner.x);
    gl_Position = here + vec4(2.0 * pixels / size * here.w, 0.0, 0.0);
}
"""

LINE_FRAGMENT = """
#version 330
uniform float width;
in vec4 v_color;
in float v_across;
out vec4 pixel;
void main() {
    pixel = vec4(v_color.rgb, v_color.a * clamp(0.5 * width + 0.5 - abs(v_across), 0.0, 1.0));
}
"""
