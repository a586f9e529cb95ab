# frozen_string_literal: true

module Library
  # A book that a member has taken home.
  Loan = Struct.new(:id, :member_id, :book_id, :due_on, :renewals, :returned_on, keyword_init: true) do
    def open?
      returned_on.nil?
    end

    def overdue?(today)
      open? && today > due_on
    end
  end
end
