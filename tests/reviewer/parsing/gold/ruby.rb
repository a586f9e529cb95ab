require "json"
require_relative "../lib/thing"
autoload :Lazy, "lazy/file"

module Shop
  LIMIT = 10
  VERSION, OTHER = "1.0", 2

  class Item < Base::Record
    include Comparable
    extend Forwardable
    attr_accessor :name, :price
    attr_reader "code"

    def initialize(name, price = LIMIT, *rest, key:, opt: 1, **extra, &block)
      @name = name
      self.price = price
      super(name, *rest)
    end

    def self.build(attrs)
      new(attrs[:name], key: 1, **attrs) { |a, b = 2| a.call(b) }
    end

    class << self
      def count; @@count ||= 0; end
    end

    define_method(:dynamic) { |x| x }
    alias_method :title, :name
    alias old_name name

    def valid?
      items.each do |item|
        puts item&.total unless item.nil?
      end
      Shop::Helper.run!
      yield helper
    rescue Net::Error => e
      raise Failure, "gone_now"
    end

    private

    def secret = compute

    def name=(value); end
  end

  class Shop::Other; end
  Point = Struct.new(:x, :y)
end

def top(a, (b, c))
  total = a + b
  total += 1
  Shop::Item.new("x").valid?
end
