// SPDX-License-Identifier: Apache-2.0
// Copyright the mocap-app maintainers
// Live motion in Unity: receives a humanoid by the VMC protocol (OSC over UDP) and moves a character. One file, nothing
// else needed; Unity 2019.4 or later. README.md beside it says how to use it.

using System;
using System.Collections.Generic;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading;
using UnityEngine;

namespace MocapApp
{
    /// <summary>Moves a character that stands in its T-pose, facing +z, when the scene starts.</summary>
    [AddComponentMenu("Mocap App/Receiver")]
    public sealed class MocapAppReceiver : MonoBehaviour
    {
        [Tooltip("UDP port; the second performer of a capture is sent to the next one, and so on.")]
        public int port = 39539;

        [Tooltip("The humanoid to move; empty takes the Animator of this object.")]
        public Animator animator;

        [Tooltip("For characters that are no Humanoid: which transform is which bone. Overrides the Animator's.")]
        public List<BoneTransform> bones = new List<BoneTransform>();

        [Tooltip("Move the hips through the room, scaled by the length of the legs.")]
        public bool moveHips = true;

        [Tooltip("Move this object by the sender's root, scaled likewise.")]
        public bool moveRoot = true;

        [Range(0f, 0.99f), Tooltip("0 takes each pose as it comes; higher is calmer and later. Per 1/60 s.")]
        public float smoothing = 0f;

        /// <summary>Whether the sender sees somebody. While it does not, the last pose is held.</summary>
        public bool IsTracked { get { lock (gate) return body.IsTracked; } }

        /// <summary>Whole frames received.</summary>
        public int Frames { get { lock (gate) return body.Frames; } }

        readonly object gate = new object();
        readonly VmcBody body = new VmcBody();
        readonly Dictionary<string, Joint> joints = new Dictionary<string, Joint>();
        readonly Dictionary<string, Placed> pose = new Dictionary<string, Placed>();
        Placed root = Placed.Nowhere;
        Vector3 home;
        Quaternion homeRotation;
        float legLength;
        bool isMoved;
        UdpClient client;
        Thread thread;

        void Awake()
        {
            if (animator == null) animator = GetComponent<Animator>();
            FindJoints();
        }

        void OnEnable()
        {
            client = new UdpClient(AddressFamily.InterNetwork);
            try
            {
                // Mono lets two programs have one port unless told otherwise, and each packet would reach only one.
                client.ExclusiveAddressUse = true;
                client.Client.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, false);
                client.Client.Bind(new IPEndPoint(IPAddress.Any, port));
            }
            catch (SocketException error)
            {
                client.Close();
                client = null;
                Debug.LogError("Mocap App: UDP port " + port + " cannot be had (" + error.Message +
                               "); stop the program that has it, or choose another");
                enabled = false;
                return;
            }
            thread = new Thread(Receive) { IsBackground = true, Name = "Mocap App " + port };
            thread.Start(client);
        }

        void OnDisable()
        {
            if (client == null) return;
            client.Close(); // ends the thread's wait
            thread.Join(1000);
            client = null;
        }

        // After the Animator, whose pose is overwritten.
        void LateUpdate()
        {
            lock (gate)
            {
                if (body.Frames == 0) return;
                foreach (var bone in body.Bones) pose[bone.Key] = bone.Value;
                root = body.Root;
            }
            float share = isMoved ? 1f - Mathf.Pow(smoothing, 60f * Time.deltaTime) : 1f;
            isMoved = true;
            Apply(share);
        }

        void Receive(object socket)
        {
            var from = new IPEndPoint(IPAddress.Any, 0);
            while (true)
            {
                try
                {
                    Take(((UdpClient)socket).Receive(ref from));
                }
                catch (SocketException error)
                {
                    // Windows passes on what became of something sent before; anything else is the end.
                    if (error.SocketErrorCode != SocketError.ConnectionReset) return;
                }
                catch (ObjectDisposedException)
                {
                    return;
                }
            }
        }

        /// <summary>Take one packet, as it comes from the network; may be called from any thread.</summary>
        public void Take(byte[] packet)
        {
            List<OscMessage> messages = OscPacket.Decode(packet);
            lock (gate)
                foreach (OscMessage message in messages) body.Take(message);
        }

        /// <summary>Look the character's joints up, and remember how they stand: it must be in its T-pose.</summary>
        public void FindJoints()
        {
            joints.Clear();
            home = transform.localPosition;
            homeRotation = transform.localRotation;
            foreach (string name in VmcBody.Parents.Keys)
            {
                Transform found = Find(name);
                if (found != null) joints[name] = new Joint(found, transform);
            }
            legLength = LegLength(name => joints.ContainsKey(name) ? joints[name].RestPosition : (Vector3?)null);
        }

        Transform Find(string name)
        {
            foreach (BoneTransform chosen in bones)
                if (chosen.bone.ToString() == name && chosen.transform != null) return chosen.transform;
            bool isHumanoid = animator != null && animator.isHuman;
            return isHumanoid ? animator.GetBoneTransform((HumanBodyBones)Enum.Parse(typeof(HumanBodyBones), name)) : null;
        }

        void Apply(float share)
        {
            float scale = Scale();
            if (moveRoot)
            {
                Vector3 place = home + homeRotation * (root.Position * scale);
                transform.localPosition = Vector3.Lerp(transform.localPosition, place, share);
                transform.localRotation = Quaternion.Slerp(transform.localRotation, homeRotation * root.Rotation, share);
            }
            var world = new Dictionary<string, Quaternion>();
            foreach (string name in VmcBody.Parents.Keys)
            {
                if (!pose.ContainsKey(name)) continue;
                string parent = VmcBody.Above(name, pose.ContainsKey);
                world[name] = (parent == null ? Quaternion.identity : world[parent]) * pose[name].Rotation;
            }
            foreach (var joint in joints)
            {
                if (!world.ContainsKey(joint.Key)) continue;
                // What a bone turns that the character lacks is turned by those below it.
                string above = VmcBody.Above(joint.Key, name => joints.ContainsKey(name) && world.ContainsKey(name));
                Quaternion carried = above == null ? Quaternion.identity : world[above];
                joint.Value.Turn(Quaternion.Inverse(carried) * world[joint.Key], share);
            }
            if (moveHips && joints.ContainsKey("Hips") && pose.ContainsKey("Hips"))
            {
                Transform hips = joints["Hips"].Transform;
                Vector3 place = transform.TransformPoint(pose["Hips"].Position * scale);
                hips.position = Vector3.Lerp(hips.position, place, share);
            }
        }

        /// <summary>The character's legs, by the performer's.</summary>
        float Scale()
        {
            float theirs = LegLength(RestPlace);
            return theirs > 0f && legLength > 0f ? legLength / theirs : 1f;
        }

        Vector3? RestPlace(string name)
        {
            if (!pose.ContainsKey(name)) return null;
            string above = VmcBody.Above(name, pose.ContainsKey);
            return above == null ? Vector3.zero : RestPlace(above) + pose[name].Position;
        }

        static float LegLength(Func<string, Vector3?> place)
        {
            Vector3? hip = place("LeftUpperLeg"), knee = place("LeftLowerLeg"), ankle = place("LeftFoot");
            if (hip == null || knee == null || ankle == null) return 0f;
            return (knee.Value - hip.Value).magnitude + (ankle.Value - knee.Value).magnitude;
        }

        /// <summary>A transform, and how it and the one above it stand in the T-pose, in the character's axes.</summary>
        sealed class Joint
        {
            public readonly Transform Transform;
            public readonly Vector3 RestPosition;
            readonly Quaternion rest;
            readonly Quaternion aboveInverse;

            public Joint(Transform transform, Transform character)
            {
                Transform = transform;
                Quaternion toCharacter = Quaternion.Inverse(character.rotation);
                RestPosition = character.InverseTransformPoint(transform.position);
                rest = toCharacter * transform.rotation;
                Transform above = transform.parent;
                aboveInverse = above == null ? character.rotation : Quaternion.Inverse(toCharacter * above.rotation);
            }

            public void Turn(Quaternion turn, float share)
            {
                Quaternion local = aboveInverse * turn * rest;
                Transform.localRotation = Quaternion.Slerp(Transform.localRotation, local, share);
            }
        }
    }

    /// <summary>One line of the list for characters that are no Humanoid.</summary>
    [Serializable]
    public struct BoneTransform
    {
        public HumanBodyBones bone;
        public Transform transform;
    }

    /// <summary>A local position and rotation, in Unity's space.</summary>
    public struct Placed
    {
        public Vector3 Position;
        public Quaternion Rotation;

        public static Placed Nowhere { get { return new Placed { Rotation = Quaternion.identity }; } }
    }

    /// <summary>The newest whole frame that a sender of the VMC protocol sent.</summary>
    public sealed class VmcBody
    {
        /// <summary>The bones that are used and the one above each, parents first; null for the hips.</summary>
        public static readonly Dictionary<string, string> Parents = MakeParents();

        public readonly Dictionary<string, Placed> Bones = new Dictionary<string, Placed>();
        public Placed Root = Placed.Nowhere;
        public float TimeS;
        public bool IsTracked;
        public int Frames;

        readonly Dictionary<string, Placed> fresh = new Dictionary<string, Placed>();
        int most;

        public void Take(OscMessage message)
        {
            float[] n = message.Numbers;
            if (message.Address == "/VMC/Ext/OK" && n.Length > 0) IsTracked = n[0] != 0f && (n.Length < 4 || n[3] != 0f);
            if (message.Address == "/VMC/Ext/T" && n.Length > 0) TimeS = n[0];
            if (message.Text == null || n.Length < 7) return;
            var placed = new Placed { Position = new Vector3(n[0], n[1], n[2]), Rotation = Unit(n[3], n[4], n[5], n[6]) };
            if (message.Address == "/VMC/Ext/Root/Pos") Root = placed;
            if (message.Address == "/VMC/Ext/Bone/Pos" && Parents.ContainsKey(message.Text)) Add(message.Text, placed);
        }

        /// <summary>The nearest bone above `name` of which `has` is true, or null.</summary>
        public static string Above(string name, Func<string, bool> has)
        {
            name = Parents[name];
            while (name != null && !has(name)) name = Parents[name];
            return name;
        }

        // A frame is whole when every bone has come, or when one comes again because a packet was lost.
        void Add(string name, Placed placed)
        {
            if (fresh.ContainsKey(name)) Finish();
            fresh[name] = placed;
            if (fresh.Count == most) Finish();
        }

        void Finish()
        {
            foreach (var bone in fresh) Bones[bone.Key] = bone.Value;
            most = Math.Max(most, fresh.Count);
            fresh.Clear();
            Frames++;
        }

        static Quaternion Unit(float x, float y, float z, float w)
        {
            float length = (float)Math.Sqrt(x * x + y * y + z * z + w * w);
            bool isRotation = length > 1e-6f && !float.IsNaN(length) && !float.IsInfinity(length);
            return isRotation ? new Quaternion(x / length, y / length, z / length, w / length) : Quaternion.identity;
        }

        static Dictionary<string, string> MakeParents()
        {
            var parents = new Dictionary<string, string> { { "Hips", null } };
            Chain(parents, "Hips", "", "Spine", "Chest", "UpperChest", "Neck", "Head");
            foreach (string side in new[] { "Left", "Right" })
            {
                Chain(parents, "UpperChest", side, "Shoulder", "UpperArm", "LowerArm", "Hand");
                Chain(parents, "Hips", side, "UpperLeg", "LowerLeg", "Foot", "Toes");
            }
            return parents;
        }

        static void Chain(Dictionary<string, string> parents, string above, string side, params string[] names)
        {
            foreach (string name in names)
            {
                parents[side + name] = above;
                above = side + name;
            }
        }
    }

    /// <summary>An address, its first text (or null) and its numbers.</summary>
    public struct OscMessage
    {
        public string Address;
        public string Text;
        public float[] Numbers;
    }

    /// <summary>Open Sound Control 1.0, as far as motion needs it: texts and numbers, bundles in bundles.</summary>
    public static class OscPacket
    {
        const int DeepestBundle = 8;

        /// <summary>The messages of a packet; what cannot be read is left out.</summary>
        public static List<OscMessage> Decode(byte[] packet)
        {
            var messages = new List<OscMessage>();
            ReadPart(packet, 0, packet.Length, messages, 0);
            return messages;
        }

        static void ReadPart(byte[] data, int at, int end, List<OscMessage> messages, int depth)
        {
            if (depth > DeepestBundle) return;
            if (end - at < 16 || data[at] != '#')
            {
                ReadMessage(data, at, end, messages);
                return;
            }
            for (at += 16; at + 4 <= end;) // past "#bundle" and the time
            {
                int size = ReadInt(data, at);
                at += 4;
                if (size <= 0 || size > end - at) return;
                ReadPart(data, at, at + size, messages, depth + 1);
                at += size;
            }
        }

        static void ReadMessage(byte[] data, int at, int end, List<OscMessage> messages)
        {
            string address = ReadText(data, ref at, end), types = ReadText(data, ref at, end);
            if (address == null || types == null || !address.StartsWith("/") || !types.StartsWith(",")) return;
            string text = null;
            var numbers = new List<float>(types.Length);
            foreach (char type in types.Substring(1))
            {
                if (type == 's')
                {
                    string read = ReadText(data, ref at, end);
                    if (read == null) return;
                    text = text ?? read;
                }
                else if (type == 'i' || type == 'f')
                {
                    if (at + 4 > end) return;
                    numbers.Add(type == 'i' ? ReadInt(data, at) : ReadFloat(data, at));
                    at += 4;
                }
                else if (type == 'T' || type == 'F') numbers.Add(type == 'T' ? 1f : 0f);
                else return;
            }
            messages.Add(new OscMessage { Address = address, Text = text, Numbers = numbers.ToArray() });
        }

        // Texts end with a zero and fill a multiple of four bytes.
        static string ReadText(byte[] data, ref int at, int end)
        {
            int zero = at < end ? Array.IndexOf(data, (byte)0, at, end - at) : -1;
            if (zero < 0) return null;
            string text = Encoding.UTF8.GetString(data, at, zero - at);
            at += (zero - at) / 4 * 4 + 4;
            return text;
        }

        static int ReadInt(byte[] data, int at)
        {
            return data[at] << 24 | data[at + 1] << 16 | data[at + 2] << 8 | data[at + 3];
        }

        static float ReadFloat(byte[] data, int at)
        {
            byte[] four = { data[at], data[at + 1], data[at + 2], data[at + 3] };
            if (BitConverter.IsLittleEndian) Array.Reverse(four);
            return BitConverter.ToSingle(four, 0);
        }
    }
}
