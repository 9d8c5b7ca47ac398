// As much of UnityEngine as MocapAppReceiver.cs uses, so that it compiles and runs without Unity. Written from the
// documented behaviour: left-handed space, quaternions x, y, z, w, lossless transforms without scale.

using System;
using System.Collections.Generic;

namespace UnityEngine
{
    public sealed class AddComponentMenu : Attribute { public AddComponentMenu(string path) { } }
    public sealed class TooltipAttribute : Attribute { public TooltipAttribute(string text) { } }
    public sealed class RangeAttribute : Attribute { public RangeAttribute(float from, float to) { } }

    public static class Time { public static float deltaTime = 1f / 60f; }
    public static class Debug { public static void LogError(string text) { Console.Error.WriteLine(text); } }

    public static class Mathf
    {
        public static float Pow(float a, float b) { return (float)Math.Pow(a, b); }
    }

    public struct Vector3
    {
        public float x, y, z;
        public Vector3(float x, float y, float z) { this.x = x; this.y = y; this.z = z; }
        public static Vector3 zero { get { return new Vector3(); } }
        public float magnitude { get { return (float)Math.Sqrt((double)x * x + (double)y * y + (double)z * z); } }
        public static Vector3 operator +(Vector3 a, Vector3 b) { return new Vector3(a.x + b.x, a.y + b.y, a.z + b.z); }
        public static Vector3 operator -(Vector3 a, Vector3 b) { return new Vector3(a.x - b.x, a.y - b.y, a.z - b.z); }
        public static Vector3 operator *(Vector3 a, float s) { return new Vector3(a.x * s, a.y * s, a.z * s); }
        public static Vector3 Lerp(Vector3 a, Vector3 b, float t) { return a + (b - a) * t; }
    }

    public struct Quaternion
    {
        public float x, y, z, w;
        public Quaternion(float x, float y, float z, float w) { this.x = x; this.y = y; this.z = z; this.w = w; }
        public static Quaternion identity { get { return new Quaternion(0, 0, 0, 1); } }

        public static Quaternion operator *(Quaternion a, Quaternion b)
        {
            return new Quaternion(
                a.w * b.x + a.x * b.w + a.y * b.z - a.z * b.y, a.w * b.y - a.x * b.z + a.y * b.w + a.z * b.x,
                a.w * b.z + a.x * b.y - a.y * b.x + a.z * b.w, a.w * b.w - a.x * b.x - a.y * b.y - a.z * b.z);
        }

        public static Vector3 operator *(Quaternion q, Vector3 v)
        {
            Quaternion turned = q * new Quaternion(v.x, v.y, v.z, 0) * Inverse(q);
            return new Vector3(turned.x, turned.y, turned.z);
        }

        public static Quaternion Inverse(Quaternion q) { return new Quaternion(-q.x, -q.y, -q.z, q.w); }

        public static Quaternion Slerp(Quaternion a, Quaternion b, float t)
        {
            double dot = (double)a.x * b.x + (double)a.y * b.y + (double)a.z * b.z + (double)a.w * b.w;
            double sign = dot < 0 ? -1 : 1, angle = Math.Acos(Math.Min(1, Math.Abs(dot))), s = 1 - t, u = t;
            if (angle > 1e-4) { s = Math.Sin(s * angle) / Math.Sin(angle); u = Math.Sin(u * angle) / Math.Sin(angle); }
            u *= sign;
            return new Quaternion((float)(s * a.x + u * b.x), (float)(s * a.y + u * b.y), (float)(s * a.z + u * b.z),
                                  (float)(s * a.w + u * b.w));
        }
    }

    public class Component
    {
        public Transform transform;
        public Dictionary<Type, object> Others = new Dictionary<Type, object>();
        public T GetComponent<T>() where T : class { return Others.ContainsKey(typeof(T)) ? (T)Others[typeof(T)] : null; }
    }

    public class MonoBehaviour : Component { public bool enabled = true; }

    public sealed class Transform : Component
    {
        public Transform parent;
        public Vector3 localPosition;
        public Quaternion localRotation = Quaternion.identity;

        public Quaternion rotation { get { return parent == null ? localRotation : parent.rotation * localRotation; } }

        public Vector3 position
        {
            get { return parent == null ? localPosition : parent.TransformPoint(localPosition); }
            set { localPosition = parent == null ? value : parent.InverseTransformPoint(value); }
        }

        public Vector3 TransformPoint(Vector3 point) { return position + rotation * point; }
        public Vector3 InverseTransformPoint(Vector3 point) { return Quaternion.Inverse(rotation) * (point - position); }
    }

    public sealed class Animator : Component
    {
        public bool isHuman = true;
        public Dictionary<HumanBodyBones, Transform> Bones = new Dictionary<HumanBodyBones, Transform>();
        public Transform GetBoneTransform(HumanBodyBones bone) { return Bones.ContainsKey(bone) ? Bones[bone] : null; }
    }

    public enum HumanBodyBones
    {
        Hips, LeftUpperLeg, RightUpperLeg, LeftLowerLeg, RightLowerLeg, LeftFoot, RightFoot, Spine, Chest, Neck, Head,
        LeftShoulder, RightShoulder, LeftUpperArm, RightUpperArm, LeftLowerArm, RightLowerArm, LeftHand, RightHand,
        LeftToes, RightToes, UpperChest = 54, LastBone = 55
    }
}
