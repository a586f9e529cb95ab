# frozen_string_literal: true

require "minitest/autorun"
require_relative "../lib/library"

class FinesTest < Minitest::Test
  def loan(due_on)
    Library::Loan.new(id: 1, member_id: 1, book_id: 1, due_on: due_on, renewals: 0)
  end

  def test_closed_days_cost_nothing
    fines = Library::Fines.new(Library::Calendar.new)
    saturday = Date.new(2026, 3, 7)
    assert_equal 25, fines.for_loan(loan(saturday), saturday + 2)
  end
end
