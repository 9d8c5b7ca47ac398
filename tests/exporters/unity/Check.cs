// Runs MocapAppReceiver.cs without Unity. One line of JSON on the standard output per answer.
//   Check.exe decode FILE              every message of the packets in FILE
//   Check.exe pose FILE CHARACTER      where the character's joints are after the packets
//   Check.exe listen CHARACTER FRAMES  the same over the network: prints the port, ends when nobody is tracked
// FILE: packets, each after its length (int32, little-endian). CHARACTER: lines "bone parent x y z qx qy qz qw", rest
// position in the world and rest rotation of the bone's own axes, parents first; "-" is no parent.

using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using System.Threading;
using MocapApp;
using UnityEngine;

public static class Check
{
    public static int Main(string[] arguments)
    {
        CultureInfo.DefaultThreadCurrentCulture = Thread.CurrentThread.CurrentCulture = CultureInfo.InvariantCulture;
        if (arguments[0] == "decode") Decode(Packets(arguments[1]));
        else if (arguments[0] == "pose") Pose(Packets(arguments[1]), Character(arguments[2]));
        else Listen(Character(arguments[1]), int.Parse(arguments[2]));
        return 0;
    }

    static IEnumerable<byte[]> Packets(string path)
    {
        using (var reader = new BinaryReader(File.OpenRead(path)))
            while (reader.BaseStream.Position < reader.BaseStream.Length)
                yield return reader.ReadBytes(reader.ReadInt32());
    }

    static void Decode(IEnumerable<byte[]> packets)
    {
        foreach (byte[] packet in packets)
            foreach (OscMessage message in OscPacket.Decode(packet))
                Console.WriteLine("[" + Quoted(message.Address) + ", " + (message.Text == null ? "null" : Quoted(message.Text))
                                  + ", [" + string.Join(", ", message.Numbers.Select(n => n.ToString("R"))) + "]]");
    }

    static string Quoted(string text)
    {
        Func<char, bool> Plain = c => c >= ' ' && c <= '~' && c != '"' && c != '\\';
        return "\"" + string.Concat(text.Select(c => Plain(c) ? c.ToString() : "\\u" + ((int)c).ToString("x4"))) + "\"";
    }

    static MocapAppReceiver Character(string path)
    {
        var character = new MocapAppReceiver { transform = new Transform { localPosition = new Vector3(0, 0, 0) } };
        var animator = new Animator();
        foreach (string[] w in File.ReadAllLines(path).Select(line => line.Split(' ')))
        {
            float[] n = w.Skip(2).Select(float.Parse).ToArray();
            var bone = (HumanBodyBones)Enum.Parse(typeof(HumanBodyBones), w[0]);
            Transform above = w[1] == "-" ? character.transform : animator.Bones[(HumanBodyBones)Enum.Parse(typeof(HumanBodyBones), w[1])];
            var own = new Transform { parent = above };
            own.localRotation = Quaternion.Inverse(above.rotation) * new Quaternion(n[3], n[4], n[5], n[6]);
            own.position = new Vector3(n[0], n[1], n[2]);
            animator.Bones[bone] = own;
        }
        character.Others[typeof(Animator)] = animator;
        return character;
    }

    static void Call(MocapAppReceiver character, string name)
    {
        typeof(MocapAppReceiver).GetMethod(name, BindingFlags.NonPublic | BindingFlags.Instance).Invoke(character, null);
    }

    static void Pose(IEnumerable<byte[]> packets, MocapAppReceiver character)
    {
        Call(character, "Awake");
        foreach (byte[] packet in packets)
        {
            character.Take(packet);
            Call(character, "LateUpdate");
        }
        Tell(character);
    }

    static void Listen(MocapAppReceiver character, int frames)
    {
        using (var probe = new UdpClient(0)) character.port = ((IPEndPoint)probe.Client.LocalEndPoint).Port;
        Call(character, "Awake");
        Call(character, "OnEnable");
        var second = new MocapAppReceiver { port = character.port, transform = new Transform() };
        Call(second, "OnEnable");
        if (second.enabled) throw new Exception("two receivers at one port");
        Console.WriteLine(character.port);
        DateTime until = DateTime.Now.AddSeconds(60);
        while ((character.Frames < frames || character.IsTracked) && DateTime.Now < until)
        {
            Thread.Sleep(2);
            Call(character, "LateUpdate");
        }
        Call(character, "OnDisable");
        Tell(character);
    }

    static void Tell(MocapAppReceiver character)
    {
        var told = character.animator.Bones.Select(b => "\"" + b.Key + "\": [" + b.Value.position.x + ", "
                                                        + b.Value.position.y + ", " + b.Value.position.z + "]");
        Console.WriteLine("{\"frames\": " + character.Frames + ", \"tracked\": " + character.IsTracked.ToString().ToLower()
                          + ", \"joints\": {" + string.Join(", ", told) + "}}");
    }
}
