using System;
using Alias = System.Collections.Generic.List<int>;
using static System.Math;
global using Shop.Common;

namespace Shop.Core
{
    [Serializable]
    public abstract class Item<T> : Base<T>, IShape where T : Thing
    {
        private const int Limit = 10, Low = 1;
        public event EventHandler Changed;
        public string Name { get; set; } = Compute();
        public int Total => Limit + Low;
        public Item(T value, int size = Limit) : base(value) { this.Name = nameof(value); }
        public static Item<T> operator +(Item<T> a, Item<T> b) => a;
        public int this[int i] { get { return i; } }
        [Route("main_page", Order = 1)]
        protected internal async Task<int> Run<R>(ref int a, params string[] rest)
        {
            var local = new List<R>(a); new Options { Capacity = 3 };
            foreach (var each in rest) each.Trim()?.Go(size: 2);
            int Inner(int q) => q + a;
            Func<int, int> f = x => Inner(x);
            if (local is Item<T> other && other.Name is string s) Max(s.Length, 1);
            try { await Helper.Go(out var result); } catch (Failure e) when (e.Code > 1) { throw; }
            return (int)Color.Red;
        }
        void Hidden() { typeof(Thing).Name.ToString(); }
    }
    public interface IShape { double Area(double scale); }
    public enum Color { Red, Green = 2 }
    public record Point(int X, int Y);
    internal struct Pair { public int A; }
    public delegate void Handler(object sender);
}
