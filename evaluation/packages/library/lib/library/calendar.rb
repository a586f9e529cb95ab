# frozen_string_literal: true

require "date"

module Library
  # Knows on which days the library is open.
  class Calendar
    def initialize(holidays = [])
      @holidays = holidays
    end

    def open?(day)
      !day.sunday? && !@holidays.include?(day)
    end

    # How many open days lie after the first day, up to the last one.
    def open_days(first, last)
      ((first + 1)..last).count { |day| open?(day) }
    end

    # The day itself, or the next one on which the library is open.
    def next_open(day)
      day += 1 until open?(day)
      day
    end
  end
end
