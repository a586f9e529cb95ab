# frozen_string_literal: true

module Library
  # What it costs to bring a book back late.
  class Fines
    PER_DAY = 25
    MOST = 1_500

    def initialize(calendar)
      @calendar = calendar
    end

    # Cents for a loan that comes back, or would come back, on a day.
    def for_loan(loan, on)
      day = loan.returned_on || on
      return 0 if day <= loan.due_on

      [@calendar.open_days(loan.due_on, day) * PER_DAY, MOST].min
    end

    def total(loans, on)
      loans.sum { |loan| for_loan(loan, on) }
    end
  end
end
